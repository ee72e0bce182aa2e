package cache_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

// describe returns a delta in a word.
func describe(delta cache.Delta) string {
	switch obj := delta.Object.(type) {
	case *corev1.Pod:
		return fmt.Sprintf("%s %s@%s", delta.Type, obj.Name, obj.ResourceVersion)
	case cache.DeletedFinalStateUnknown:
		return fmt.Sprintf("%s %s, last seen @%s", delta.Type, obj.Key, obj.Obj.(*corev1.Pod).ResourceVersion)
	case cache.ReplacedAllInfo:
		return fmt.Sprintf("%s %q @%s", delta.Type, names(obj.Objects), obj.ResourceVersion)
	case cache.BookmarkInfo:
		return fmt.Sprintf("%s @%s", delta.Type, obj.ResourceVersion)
	}
	return string(delta.Type)
}

// drain pops all that is there.
func drain(t *testing.T, q cache.Queue) []string {
	t.Helper()
	var got []string
	q.Close()
	for {
		obj, err := q.Pop(func(any, bool) error { return nil })
		if errors.Is(err, cache.ErrFIFOClosed) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, delta := range obj.(cache.Deltas) {
			got = append(got, describe(delta))
		}
	}
}

func pod(name, version string) *corev1.Pod { return newPod("", name, version) }

func pods(names ...string) []any {
	var list []any
	for _, name := range names {
		list = append(list, pod(name, "9"))
	}
	return list
}

func known(names ...string) cache.Store {
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)
	_ = store.Replace(pods(names...), "")
	return store
}

func TestEveryChangeComesOut(t *testing.T) {
	for name, c := range map[string]struct {
		known  []string
		atomic bool
		do     func(q *cache.RealFIFO)
		want   []string
	}{
		"in order": {
			do: func(q *cache.RealFIFO) {
				_ = q.Add(pod("a", "1"))
				_ = q.Add(pod("b", "2"))
				_ = q.Update(pod("a", "3"))
				_ = q.Delete(pod("a", "4"))
			},
			want: []string{"Added a@1", "Added b@2", "Updated a@3", "Deleted a@4"},
		},
		"of a list, after what is missing from it": {
			known: []string{"a", "b", "c"},
			do: func(q *cache.RealFIFO) {
				_ = q.Add(pod("d", "1"))
				_ = q.Update(pod("b", "2"))
				_ = q.Delete(pod("c", "3"))
				_ = q.Replace(pods("e"), "9")
			},
			want: []string{"Added d@1", "Updated b@2", "Deleted c@3",
				"Deleted d, last seen @1", "Deleted b, last seen @2", "Deleted a, last seen @9", "Replaced e@9"},
		},
		"of a resync, less what is queued": {
			known: []string{"a", "b"},
			do: func(q *cache.RealFIFO) {
				_ = q.Update(pod("a", "1"))
				_ = q.Resync()
			},
			want: []string{"Updated a@1", "Sync b@9"},
		},
		"of an atomic list": {
			atomic: true,
			do:     func(q *cache.RealFIFO) { _ = q.Replace(pods("a", "b"), "9") },
			want:   []string{`ReplacedAll ["a" "b"] @9`},
		},
		"of an atomic resync": {
			atomic: true,
			do:     func(q *cache.RealFIFO) { _ = q.Resync() },
			want:   []string{"SyncAll"},
		},
		"of bookmarks, the last in a row": {
			atomic: true,
			do: func(q *cache.RealFIFO) {
				_ = q.Bookmark("1")
				_ = q.Bookmark("2")
				_ = q.Add(pod("a", "3"))
				_ = q.Bookmark("4")
			},
			want: []string{"Bookmark @2", "Added a@3", "Bookmark @4"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			options := cache.RealFIFOOptions{AtomicEvents: c.atomic, EmitDeltaTypeBookmark: c.atomic}
			if !c.atomic {
				options.KnownObjects = known(c.known...)
			}
			q := cache.NewRealFIFOWithOptions(options)
			c.do(q)
			got := drain(t, q)
			// What is missing and only known comes in no order.
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestQueueHasSyncedWhenTheFirstListIsProcessed(t *testing.T) {
	for name, atomic := range map[string]bool{"one by one": false, "atomic": true} {
		t.Run(name, func(t *testing.T) {
			options := cache.RealFIFOOptions{AtomicEvents: atomic}
			steps := 1
			if !atomic {
				options.KnownObjects = known()
				steps = 2
			}
			q := cache.NewRealFIFOWithOptions(options)
			if q.HasSynced() {
				t.Error("has synced before there was a list")
			}
			_ = q.Replace(pods("a", "b"), "1")
			_ = q.Add(pod("c", "2"))
			for i := range steps + 1 {
				if q.HasSynced() != (i == steps) {
					t.Errorf("after %d: has synced: %t", i, q.HasSynced())
				}
				_, _ = q.Pop(func(_ any, isInInitialList bool) error {
					if isInInitialList != (i < steps) {
						t.Errorf("%d is in the initial list: %t", i, isInInitialList)
					}
					return nil
				})
			}
		})
	}
}

func TestQueueHasSyncedWithAnEmptyListOrAChange(t *testing.T) {
	empty := cache.NewRealFIFO(cache.MetaNamespaceKeyFunc, known(), nil)
	_ = empty.Replace(nil, "1")
	changed := cache.NewRealFIFO(cache.MetaNamespaceKeyFunc, known(), nil)
	_ = changed.Add(pod("a", "1"))
	if !empty.HasSynced() || !cache.IsDone(changed.HasSyncedChecker()) {
		t.Errorf("an empty list has synced: %t, a change: %t", empty.HasSynced(), changed.HasSynced())
	}
}

func TestBatchHasNoObjectTwice(t *testing.T) {
	q := cache.NewRealFIFOWithOptions(cache.RealFIFOOptions{AtomicEvents: true})
	for _, name := range []string{"a", "b", "a", "c"} {
		_ = q.Add(pod(name, "1"))
	}
	_ = q.Resync()
	_ = q.Add(pod("d", "1"))
	_ = q.Add(pod("e", "1"))
	q.Close()
	var got []string
	for {
		err := q.PopBatch(func(deltas []cache.Delta, _ bool) error {
			var words []string
			for _, delta := range deltas {
				words = append(words, describe(delta))
			}
			got = append(got, strings.Join(words, ", "))
			return nil
		}, func(obj any, _ bool) error {
			got = append(got, describe(obj.(cache.Deltas)[0]))
			return nil
		})
		if errors.Is(err, cache.ErrFIFOClosed) {
			break
		}
	}
	want := []string{"Added a@1, Added b@1", "Added a@1, Added c@1", "SyncAll", "Added d@1, Added e@1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBatchEndsWithTheInitialList(t *testing.T) {
	q := cache.NewRealFIFO(cache.MetaNamespaceKeyFunc, known(), nil)
	_ = q.Replace(pods("a", "b"), "1")
	_ = q.Add(pod("c", "2"))
	var sizes []int
	for range 2 {
		_ = q.PopBatch(func(deltas []cache.Delta, _ bool) error {
			sizes = append(sizes, len(deltas))
			return nil
		}, func(any, bool) error {
			sizes = append(sizes, 1)
			return nil
		})
	}
	if !slices.Equal(sizes, []int{2, 1}) {
		t.Errorf("batches of %v", sizes)
	}
}

func TestUnlockedQueueTakesChangesMeanwhile(t *testing.T) {
	q := cache.NewRealFIFOWithOptions(cache.RealFIFOOptions{AtomicEvents: true, UnlockWhileProcessing: true})
	_ = q.Add(pod("a", "1"))
	_, err := q.Pop(func(any, bool) error { return q.Add(pod("b", "2")) })
	if got := drain(t, q); err != nil || !slices.Equal(got, []string{"Added b@2"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestPopWaitsForAChangeOrTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := cache.NewRealFIFO(cache.MetaNamespaceKeyFunc, known(), nil)
		popped := make(chan error, 2)
		go func() {
			for range 2 {
				_, err := q.Pop(func(any, bool) error { return nil })
				popped <- err
			}
		}()
		synctest.Wait()
		if len(popped) != 0 {
			t.Error("popped what is not there")
		}
		_ = q.Add(pod("a", "1"))
		if err := <-popped; err != nil {
			t.Error(err)
		}
		q.Close()
		if err := <-popped; !errors.Is(err, cache.ErrFIFOClosed) || !q.IsClosed() {
			t.Errorf("got error %v", err)
		}
	})
}

func TestQueueTransformsObjectsButNotTombstones(t *testing.T) {
	q := cache.NewRealFIFO(cache.MetaNamespaceKeyFunc, known("gone"), func(obj any) (any, error) {
		return pod(obj.(*corev1.Pod).Name, "transformed"), nil
	})
	_ = q.Replace(pods("a"), "1")
	_ = q.Update(pod("a", "2"))
	want := []string{"Deleted gone, last seen @9", "Replaced a@transformed", "Updated a@transformed"}
	if got := drain(t, q); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestContradictoryOptionsPanic(t *testing.T) {
	for name, options := range map[string]cache.RealFIFOOptions{
		"known objects and atomic": {AtomicEvents: true, KnownObjects: known()},
		"neither":                  {},
		"unlocked but not atomic":  {KnownObjects: known(), UnlockWhileProcessing: true},
		"bookmarks but not atomic": {KnownObjects: known(), EmitDeltaTypeBookmark: true},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("did not panic")
				}
			}()
			cache.NewRealFIFOWithOptions(options)
		})
	}
}

func BenchmarkQueue(b *testing.B) {
	q := cache.NewRealFIFO(cache.MetaNamespaceKeyFunc, known(), nil)
	p := newPod("ns", "a", "1")
	b.ReportAllocs()
	for b.Loop() {
		_ = q.Update(p)
		_, _ = q.Pop(func(any, bool) error { return nil })
	}
}
