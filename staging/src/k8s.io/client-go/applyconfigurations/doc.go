// Package applyconfigurations has, in its sub-packages, a type for each built-in
// kind and its parts with which a program says what it wants of an object, and
// only that. They are what the Apply methods of typed clients take.
//
// An object of k8s.io/api cannot say this: a field that is the zero value of its
// type looks the same as one that was never set, and a server that applies it
// takes it for a wish. Here every field is a pointer, a slice or a map, and what
// is nil is not sent.
//
// # Applying
//
// A constructor is named after the kind and takes what identifies the object.
// Each With function sets a field and returns the configuration:
//
//	deployment := appsv1.Deployment("web", "default").
//		WithSpec(appsv1.DeploymentSpec().WithReplicas(3))
//	_, err := client.AppsV1().Deployments("default").
//		Apply(ctx, deployment, metav1.ApplyOptions{FieldManager: "scaler", Force: true})
//
// The server records the field manager as the owner of the fields that were
// sent. A field that a manager owned and no longer sends is given up, and removed
// if nobody else owns it. So a program sends everything that it wants each time.
// Where another manager owns a field with another value the server answers with a
// conflict, unless Force takes the field over, which is what a controller wants.
//
// # From an object
//
// ExtractDeployment, and its like for each kind, returns the part of an object
// that a field manager owns, to be changed and applied again. It reads that from
// the object's managed fields and knows the kinds' structure from the generated
// schema of this package. Programs that build the whole configuration anew each
// time need neither the object nor the schema.
//
// [ForKind] gives an empty configuration for a kind, and [NewTypeConverter] what
// package testing needs to apply configurations in memory.
package applyconfigurations
