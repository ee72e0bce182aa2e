package e2e

import (
	"slices"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// userOf asks the server who a client is.
func userOf(t *testing.T, config *rest.Config) (authenticationv1.UserInfo, error) {
	t.Helper()
	review, err := clientset(t, config).AuthenticationV1().SelfSubjectReviews().
		Create(deadline(t), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return authenticationv1.UserInfo{}, err
	}
	return review.Status.UserInfo, nil
}

func mustBeUser(t *testing.T, config *rest.Config, want string) {
	t.Helper()
	user, err := userOf(t, config)
	if err != nil {
		t.Fatal(err)
	}
	if user.Username != want {
		t.Errorf("authenticated as %q, want %q", user.Username, want)
	}
}

// TestReviews: what can be created only, and is answered at once.
func TestReviews(t *testing.T) {
	t.Parallel()
	config := adminConfig(t)
	cs := clientset(t, config)
	ctx := deadline(t)
	none := metav1.CreateOptions{}

	user, err := userOf(t, config)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(user.Groups, "system:authenticated") {
		t.Errorf("groups %v", user.Groups)
	}
	token, err := cs.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: "nobody's"},
	}, none)
	if err != nil || token.Status.Authenticated {
		t.Errorf("review of a wrong token: %v, %v", token, err)
	}
	if shared != nil {
		token, err = cs.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{
			Spec: authenticationv1.TokenReviewSpec{Token: shared.Token("limited")},
		}, none)
		if err != nil || token.Status.User.Username != "limited" {
			t.Errorf("review of the limited user's token: %v, %v", token, err)
		}
	}

	pods := &authorizationv1.ResourceAttributes{Namespace: "default", Verb: "delete", Resource: "pods"}
	mine, err := cs.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: pods},
	}, none)
	if err != nil || !mine.Status.Allowed {
		t.Errorf("the admin may not delete pods: %v, %v", mine, err)
	}
	theirs, err := cs.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{User: "nobody", ResourceAttributes: pods},
	}, none)
	if err != nil || theirs.Status.Allowed {
		t.Errorf("nobody may delete pods: %v, %v", theirs, err)
	}
	local, err := cs.AuthorizationV1().LocalSubjectAccessReviews("default").Create(ctx, &authorizationv1.LocalSubjectAccessReview{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default"},
		Spec:       authorizationv1.SubjectAccessReviewSpec{User: "nobody", ResourceAttributes: pods},
	}, none)
	if err != nil || local.Status.Allowed {
		t.Errorf("nobody may delete pods in default: %v, %v", local, err)
	}
	rules, err := cs.AuthorizationV1().SelfSubjectRulesReviews().Create(ctx, &authorizationv1.SelfSubjectRulesReview{
		Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: "default"},
	}, none)
	if err != nil || len(rules.Status.ResourceRules) == 0 {
		t.Errorf("the admin's rules: %v, %v", rules, err)
	}
}

func TestComponentStatusesAreRead(t *testing.T) {
	t.Parallel()
	client := clientset(t, adminConfig(t)).CoreV1().ComponentStatuses()
	list, err := client.List(deadline(t), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) == 0 {
		t.Fatal("no components")
	}
	one, err := client.Get(deadline(t), list.Items[0].Name, metav1.GetOptions{})
	if err != nil || one.Name != list.Items[0].Name {
		t.Errorf("%v, %v", one, err)
	}
}
