package consistencydetector_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/consistencydetector"
)

func secret(name, uid, data string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", UID: types.UID(uid), ResourceVersion: "v" + data},
		Data:       map[string][]byte{"password": []byte(data)},
	}
}

func listOf(secrets ...*corev1.Secret) *corev1.SecretList {
	list := &corev1.SecretList{}
	for _, s := range secrets {
		list.Items = append(list.Items, *s)
	}
	return list
}

// check runs the check, and returns what it panicked with and what the lists
// were asked for. Each answer is a list or an error; the last one repeats.
func check(ctx context.Context, version string, options metav1.ListOptions, transform consistencydetector.TransformFunc, have []*corev1.Secret, answers ...any) (panicked string, asked []metav1.ListOptions) {
	defer func() {
		if r := recover(); r != nil {
			panicked = fmt.Sprint(r)
		}
	}()
	list := func(_ context.Context, options metav1.ListOptions) (*corev1.SecretList, error) {
		asked = append(asked, options)
		answer := answers[min(len(asked), len(answers))-1]
		if err, ok := answer.(error); ok {
			return nil, err
		}
		return answer.(*corev1.SecretList), nil
	}
	consistencydetector.CheckDataConsistency(ctx, "the test", version, list, transform, options, func() []*corev1.Secret { return have })
	return "", asked
}

func TestConsistentDataPasses(t *testing.T) {
	a, b := secret("a", "1", "x"), secret("b", "2", "y")
	nothing := secret("a", "1", "x")
	nothing.Labels = map[string]string{}
	for name, c := range map[string]struct {
		list []*corev1.Secret
		have []*corev1.Secret
	}{
		"nothing at all":       {nil, nil},
		"the same":             {[]*corev1.Secret{a, b}, []*corev1.Secret{a, b}},
		"in another order":     {[]*corev1.Secret{a, b}, []*corev1.Secret{b, a}},
		"empty rather than no": {[]*corev1.Secret{nothing}, []*corev1.Secret{a}},
		"one name twice":       {[]*corev1.Secret{a, secret("a", "9", "x")}, []*corev1.Secret{secret("a", "9", "x"), a}},
	} {
		if panicked, _ := check(t.Context(), "5", metav1.ListOptions{}, nil, c.have, listOf(c.list...)); panicked != "" {
			t.Errorf("%s: %s", name, panicked)
		}
	}
}

func TestInconsistentDataPanicsWithTheNamesButNotTheContents(t *testing.T) {
	a, b := secret("a", "1", "hunter2"), secret("b", "2", "hunter3")
	for name, c := range map[string]struct {
		list, have []*corev1.Secret
		want       string
	}{
		"missing": {[]*corev1.Secret{a, b}, []*corev1.Secret{a}, `shop/b (UID "2") is in the list only`},
		"surplus": {[]*corev1.Secret{a}, []*corev1.Secret{a, b}, `shop/b (UID "2") is not in the list`},
		"other":   {[]*corev1.Secret{a}, []*corev1.Secret{secret("a", "1", "y")}, `shop/a (UID "1") differs`},
		"twice":   {[]*corev1.Secret{a}, []*corev1.Secret{a, a}, `shop/a (UID "1") is there twice`},
	} {
		panicked, _ := check(t.Context(), "5", metav1.ListOptions{}, nil, c.have, listOf(c.list...))
		if !strings.Contains(panicked, "data inconsistency detected for the test") || !strings.Contains(panicked, c.want) {
			t.Errorf("%s: panicked with %q, want %q", name, panicked, c.want)
		}
		if strings.Contains(panicked, `password`) || strings.Contains(panicked, `:"hunter`) {
			t.Errorf("%s: the panic tells a secret: %s", name, panicked)
		}
	}
}

func TestManyDifferencesAreCutShort(t *testing.T) {
	var have []*corev1.Secret
	for i := range 100 {
		have = append(have, secret(fmt.Sprint(i), fmt.Sprint(i), "x"))
	}
	panicked, _ := check(t.Context(), "5", metav1.ListOptions{}, nil, have, listOf())
	if !strings.HasSuffix(panicked, "and 90 more") {
		t.Errorf("panicked with %q", panicked)
	}
}

func TestLimitIsKeptUnlessTheServerDidNotKeepIt(t *testing.T) {
	three := []*corev1.Secret{secret("a", "1", "x"), secret("b", "2", "x"), secret("c", "3", "x")}
	for _, c := range []struct {
		version     string
		limit, want int64
	}{
		{"3", 2, 2},
		{"0", 2, 0}, // by the watch cache
		{"0", 3, 3},
		{"0", 5, 5},
		{"0", 0, 0},
		{"", 2, 2},
	} {
		_, asked := check(t.Context(), "5", metav1.ListOptions{ResourceVersion: c.version, Limit: c.limit}, nil, three, listOf(three...))
		if len(asked) != 1 || asked[0].Limit != c.want {
			t.Errorf("%+v: asked %+v", c, asked)
		}
	}
}

func TestListIsOfTheExactVersion(t *testing.T) {
	yes := true
	_, asked := check(t.Context(), "5", metav1.ListOptions{
		LabelSelector:        "app=web",
		FieldSelector:        "metadata.name=web",
		ResourceVersion:      "3",
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
		Limit:                7,
		Watch:                true,
		AllowWatchBookmarks:  true,
		SendInitialEvents:    &yes,
	}, nil, nil, listOf())
	want := []metav1.ListOptions{{
		LabelSelector:        "app=web",
		FieldSelector:        "metadata.name=web",
		ResourceVersion:      "5",
		ResourceVersionMatch: metav1.ResourceVersionMatchExact,
		Limit:                7,
	}}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeListedIsNotChecked(t *testing.T) {
	unexpected := []*corev1.Secret{secret("a", "1", "x")}
	for _, c := range []struct {
		version string
		options metav1.ListOptions
	}{{"", metav1.ListOptions{}}, {"0", metav1.ListOptions{}}, {"5", metav1.ListOptions{Continue: "token"}}} {
		if panicked, asked := check(t.Context(), c.version, c.options, nil, unexpected, listOf()); panicked != "" || asked != nil {
			t.Errorf("version %q, continue %q: panic %q, requests %v", c.version, c.options.Continue, panicked, asked)
		}
	}
	panicked, asked := check(t.Context(), "5", metav1.ListOptions{}, nil, unexpected, apierrors.NewResourceExpired("too old"))
	if panicked != "" || len(asked) != 1 {
		t.Errorf("a version that is forgotten: panic %q after %d requests", panicked, len(asked))
	}
}

func TestListThatFailsIsTriedAgainUntilTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		panicked, asked := check(t.Context(), "5", metav1.ListOptions{}, nil, nil, errors.New("a"), errors.New("b"), listOf())
		if panicked != "" || len(asked) != 3 || time.Since(start) != 2*time.Second {
			t.Errorf("panic %q after %d requests in %s", panicked, len(asked), time.Since(start))
		}

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
		defer cancel()
		panicked, asked = check(ctx, "5", metav1.ListOptions{}, nil, []*corev1.Secret{secret("a", "1", "x")}, errors.New("a"))
		if panicked != "" || len(asked) != 11 {
			t.Errorf("panic %q after %d requests", panicked, len(asked))
		}
	})
}

func TestTransformationIsDoneToListedItems(t *testing.T) {
	shown := secret("a", "1", "x")
	shown.Data = nil
	hide := func(item any) (any, error) {
		item.(*corev1.Secret).Data = nil
		return item, nil
	}
	if panicked, _ := check(t.Context(), "5", metav1.ListOptions{}, hide, []*corev1.Secret{shown}, listOf(secret("a", "1", "x"))); panicked != "" {
		t.Error(panicked)
	}
	refuse := func(any) (any, error) { return nil, errors.New("not this one") }
	panicked, _ := check(t.Context(), "5", metav1.ListOptions{}, refuse, []*corev1.Secret{shown}, listOf(shown))
	if !strings.Contains(panicked, "not this one") {
		t.Errorf("panicked with %q", panicked)
	}
	lose := func(any) (any, error) { return "a string", nil }
	panicked, _ = check(t.Context(), "5", metav1.ListOptions{}, lose, []*corev1.Secret{shown}, listOf(shown))
	if !strings.Contains(panicked, "an item is a string") {
		t.Errorf("panicked with %q", panicked)
	}
}

func TestItemsMayBeOfInterfaceTypes(t *testing.T) {
	list := func(context.Context, metav1.ListOptions) (runtime.Object, error) {
		return listOf(secret("a", "1", "x")), nil
	}
	have := func() []any { return []any{secret("a", "1", "x")} }
	consistencydetector.CheckDataConsistency(t.Context(), "the test", "5", list, nil, metav1.ListOptions{}, have)
}

func TestEnvironmentSwitchesTheCheckOn(t *testing.T) {
	if os.Getenv("PRINT_WHETHER_ENABLED") != "" {
		fmt.Println("enabled:", consistencydetector.IsDataConsistencyDetectionForWatchListEnabled())
		return
	}
	for value, want := range map[string]bool{"": false, "true": true, "1": true, "false": false, "maybe": false} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestEnvironmentSwitchesTheCheckOn$")
			cmd.Env = append(os.Environ(), "PRINT_WHETHER_ENABLED=yes", "KUBE_WATCHLIST_INCONSISTENCY_DETECTOR="+value)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), fmt.Sprintf("enabled: %t\n", want)) {
				t.Errorf("want %t, got error %v and output %s", want, err, out)
			}
		})
	}
}

func TestOverrideForTestsCanBeUndone(t *testing.T) {
	before := consistencydetector.IsDataConsistencyDetectionForWatchListEnabled()
	undo := consistencydetector.SetDataConsistencyDetectionForWatchListEnabledForTest(!before)
	if consistencydetector.IsDataConsistencyDetectionForWatchListEnabled() == before {
		t.Error("it was not overridden")
	}
	undo()
	if consistencydetector.IsDataConsistencyDetectionForWatchListEnabled() != before {
		t.Error("it was not undone")
	}
}
