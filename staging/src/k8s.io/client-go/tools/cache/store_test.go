package cache_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

// byLetters is an index by the letters of a pod's name, so that pods have any
// number of values.
func byLetters(obj any) ([]string, error) {
	return slices.Compact(slices.Sorted(slices.Values(strings.Split(obj.(*corev1.Pod).Name, "")))), nil
}

func byVersion(obj any) ([]string, error) { return []string{obj.(*corev1.Pod).ResourceVersion}, nil }

func names(objects []any) []string {
	var names []string
	for _, obj := range objects {
		names = append(names, obj.(*corev1.Pod).Name)
	}
	slices.Sort(names)
	return names
}

// FuzzIndexAgreesWithAScan reads its input as a program: each byte is an operation
// and a pod.
func FuzzIndexAgreesWithAScan(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x81\x42\x43\xc0\x00\x10\x20\x90"))
	f.Add([]byte("abcdefgh\x80\x81\x82ABCDEFGH\xff"))
	pods := []string{"a", "b", "ab", "abc", "cab", "ccc", "d", "da"}
	f.Fuzz(func(t *testing.T, program []byte) {
		store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{"letters": byLetters})
		model := map[string]*corev1.Pod{}
		for i, op := range program {
			pod := newPod("", pods[op%8], fmt.Sprint(op/8%4+1))
			switch op >> 6 {
			case 0:
				_ = store.Add(pod)
				model[pod.Name] = pod
			case 1:
				_ = store.Update(pod)
				model[pod.Name] = pod
			case 2:
				_ = store.Delete(pod)
				delete(model, pod.Name)
			default:
				_ = store.Replace([]any{pod}, "9")
				model = map[string]*corev1.Pod{pod.Name: pod}
			}
			if i == len(program)/2 {
				if err := store.AddIndexers(cache.Indexers{"version": byVersion}); err != nil {
					t.Fatal(err)
				}
			}
			if got, want := names(store.List()), slices.Sorted(maps.Keys(model)); !slices.Equal(got, want) {
				t.Fatalf("the store has %q, want %q", got, want)
			}
			for index, f := range map[string]cache.IndexFunc{"letters": byLetters, "version": byVersion} {
				if store.GetIndexers()[index] == nil {
					continue
				}
				want := map[string][]string{}
				for _, pod := range model {
					values, _ := f(pod)
					for _, value := range values {
						want[value] = append(want[value], pod.Name)
					}
				}
				if got := slices.Sorted(slices.Values(store.ListIndexFuncValues(index))); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
					t.Fatalf("%s has values %q, want %q", index, got, want)
				}
				for value, wanted := range want {
					slices.Sort(wanted)
					got, err := store.ByIndex(index, value)
					keys, _ := store.IndexKeys(index, value)
					slices.Sort(keys)
					if !slices.Equal(names(got), wanted) || !slices.Equal(keys, wanted) || err != nil {
						t.Fatalf("%s %s is %q, %q, %v, want %q", index, value, names(got), keys, err, wanted)
					}
				}
			}
		}
	})
}

func TestIndexFindsEachObjectOnce(t *testing.T) {
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{"letters": byLetters})
	for _, name := range []string{"abc", "ab", "d"} {
		if err := store.Add(newPod("", name, "")); err != nil {
			t.Fatal(err)
		}
	}
	got, err := store.Index("letters", newPod("", "ab", ""))
	if !slices.Equal(names(got), []string{"ab", "abc"}) || err != nil {
		t.Errorf("got %q, %v", names(got), err)
	}
}

func TestUnknownAndTakenIndicesAreErrors(t *testing.T) {
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{"letters": byLetters})
	if _, err := store.ByIndex("nope", "a"); err == nil || !strings.Contains(err.Error(), "nope") {
		t.Errorf("got error %v", err)
	}
	if err := store.AddIndexers(cache.Indexers{"letters": byLetters, "new": byVersion}); err == nil || !strings.Contains(err.Error(), "letters") {
		t.Errorf("got error %v", err)
	}
	if len(store.GetIndexers()) != 1 {
		t.Error("an index was added all the same")
	}
}

func TestObjectWithoutAKeyIsAnErrorThatHasTheObject(t *testing.T) {
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)
	_, _, getErr := store.Get(7)
	for name, err := range map[string]error{
		"Add": store.Add(7), "Update": store.Update(7), "Delete": store.Delete(7), "Get": getErr, "Replace": store.Replace([]any{7}, ""),
	} {
		var keyErr cache.KeyError
		if !errors.As(err, &keyErr) || keyErr.Obj != 7 {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestTransactionMakesTheChangesThatCanBeMade(t *testing.T) {
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{"letters": byLetters})
	_ = store.Add(newPod("", "old", "1"))
	err := store.(cache.TransactionStore).Transaction(
		cache.Transaction{Object: newPod("", "new", "3"), Type: cache.TransactionTypeAdd},
		cache.Transaction{Object: 7, Type: cache.TransactionTypeAdd},
		cache.Transaction{Object: newPod("", "old", "2"), Type: cache.TransactionTypeDelete},
		cache.Transaction{Object: newPod("", "x", "2"), Type: "Bend"},
	)
	if err == nil || !slices.Equal(err.SuccessfulIndices, []int{0, 2}) || err.TotalTransactions != 4 || len(err.Errors) != 2 {
		t.Errorf("got error %v", err)
	}
	if !strings.Contains(err.Error(), "(2/4)") || !errors.As(err, new(cache.KeyError)) {
		t.Errorf("the error reads %v", err)
	}
	if got := names(store.List()); !slices.Equal(got, []string{"new"}) {
		t.Errorf("the store has %q", got)
	}
}

func TestStoreKnowsTheLatestVersionItSaw(t *testing.T) {
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"a list", func() { _ = store.Replace([]any{newPod("", "a", "3")}, "5") }, "5"},
		{"an update", func() { _ = store.Update(newPod("", "a", "6")) }, "6"},
		{"an old object", func() { _ = store.Update(newPod("", "a", "3")) }, "6"},
		{"a deletion", func() { _ = store.Delete(newPod("", "a", "7")) }, "7"},
		{"a bookmark", func() { store.Bookmark("100") }, "100"},
		{"a shorter number", func() { store.Bookmark("99") }, "100"},
		{"another list, after a restore", func() { _ = store.Replace(nil, "4") }, "4"},
	} {
		step.do()
		if got := store.LastStoreSyncResourceVersion(); got != step.want {
			t.Errorf("after %s the version is %q, want %q", step.name, got, step.want)
		}
	}
}

func TestTransformerRunsBeforeStoring(t *testing.T) {
	broken := errors.New("broken")
	store := cache.NewStore(cache.MetaNamespaceKeyFunc, cache.WithTransformer(func(obj any) (any, error) {
		pod := obj.(*corev1.Pod)
		if pod.Name == "broken" {
			return nil, broken
		}
		return newPod(pod.Namespace, pod.Name, "transformed"), nil
	}))
	_ = store.Add(newPod("", "a", "1"))
	_ = store.Replace([]any{newPod("", "a", "1"), newPod("", "b", "1")}, "")
	wantPods(t, store, "a@transformed", "b@transformed")
	if err := store.Add(newPod("", "broken", "1")); !errors.Is(err, broken) {
		t.Errorf("got error %v", err)
	}
}

func BenchmarkUpdateOfAnIndexedObject(b *testing.B) {
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	pods := make([]any, 1000)
	for i := range pods {
		pods[i] = newPod("ns", fmt.Sprint("pod-", i), fmt.Sprint(i+1))
	}
	_ = store.Replace(pods, "1")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_ = store.Update(pods[i%len(pods)])
	}
}
