// Package clientcmd turns kubeconfig files, command line flags and the
// environment into the configuration of a client.
//
// # In short
//
// A command line program does what kubectl does with
//
//	rules := clientcmd.NewDefaultClientConfigLoadingRules()
//	overrides := &clientcmd.ConfigOverrides{}
//	clientcmd.BindOverrideFlags(overrides, flags, clientcmd.RecommendedConfigOverrideFlags(""))
//	flags.StringVar(&rules.ExplicitPath, clientcmd.RecommendedConfigPathFlag, "", "path of the kubeconfig")
//	// … parse the flags …
//	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
//
// A controller with the flags --kubeconfig and --master uses
// [BuildConfigFromFlags]; a program that got a kubeconfig as bytes uses
// [RESTConfigFromKubeConfig].
//
// # Which files are read
//
// [ClientConfigLoadingRules] name them: the ExplicitPath alone if it is set,
// otherwise all files in Precedence that exist. The default precedence is the
// list in the environment variable KUBECONFIG, or else ~/.kube/config.
//
// Several files are merged by one rule: what comes first, wins. A cluster, user
// or context is taken as a whole from the first file that has its name. Other
// settings come from the first file where they are not empty.
//
// Paths in a file are relative to the file's directory. Loading makes them
// absolute.
//
// # What has precedence
//
// Overrides go before the merged files, and these before
// ConfigOverrides.ClusterDefaults. If all of this says nothing, a program that
// runs in a pod uses the pod's service account; see [InClusterConfig].
//
// # Errors
//
// [IsEmptyConfig] tells that there is no configuration, [IsContextNotFound]
// that there is no such context, and [IsConfigurationInvalid] that what is
// there cannot be used. The errors name the stanza at fault, and a file that
// does not parse is named together with the line.
//
// # Changing files
//
// [ModifyConfig] writes a changed config back: each stanza to the file that it
// came from, new ones to the default file. Files are locked meanwhile, and are
// replaced as a whole, so that readers never see half of one.
package clientcmd
