package pager_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/pager"
)

// In these tests synctest fails if a goroutine is left waiting.

// endless serves pages of one item without end, and counts them.
func endless(fetched *atomic.Int32) *pager.ListPager {
	return pager.New(pager.SimplePageFunc(func(options) (kruntime.Object, error) {
		fetched.Add(1)
		list := &corev1.PodList{Items: make([]corev1.Pod, 1)}
		list.Continue = "more"
		return list, nil
	}))
}

func TestPagesAreFetchedAheadAsFarAsTheBufferGoes(t *testing.T) {
	for _, buffer := range []int32{0, 1, 10} {
		synctest.Test(t, func(t *testing.T) {
			var fetched atomic.Int32
			p := endless(&fetched)
			p.PageBufferSize = buffer
			stop := errors.New("seen enough")
			seen := int32(0)
			err := p.EachListItem(t.Context(), options{}, func(kruntime.Object) error {
				seen++
				synctest.Wait() // until fetching ahead is stuck
				if got, most := fetched.Load(), seen+1+buffer; got > most {
					t.Errorf("buffer %d: %d pages fetched at item %d, want at most %d", buffer, got, seen, most)
				} else if seen > 1 && got < most {
					t.Errorf("buffer %d: only %d pages fetched at item %d, want %d", buffer, got, seen, most)
				}
				if seen == 5 {
					return stop
				}
				return nil
			})
			if err != stop {
				t.Errorf("got error %v, want fn's", err)
			}
		})
	}
}

func TestErrorOfTheFunctionEndsTheFetching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fetched atomic.Int32
		stop := errors.New("seen enough")
		err := endless(&fetched).EachListItem(t.Context(), options{}, func(kruntime.Object) error { return stop })
		if err != stop {
			t.Errorf("got error %v, want fn's", err)
		}
		synctest.Wait()
		before := fetched.Load()
		synctest.Wait()
		if fetched.Load() != before {
			t.Error("it went on")
		}
	})
}

func TestCancellingEndsAListEvenIfThePageFunctionDoesNotListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		calls := 0
		p := pager.New(pager.SimplePageFunc(func(options) (kruntime.Object, error) {
			calls++
			if calls == 2 {
				<-release
			}
			list := &corev1.PodList{Items: make([]corev1.Pod, 1)}
			list.Continue = "more"
			return list, nil
		}))
		go func() {
			synctest.Wait() // until the second page is awaited
			cancel()
		}()
		seen := 0
		err := p.EachListItem(ctx, options{}, func(kruntime.Object) error { seen++; return nil })
		if err != context.Canceled || seen != 1 {
			t.Errorf("got error %v after %d items", err, seen)
		}
		close(release)
	})
}

func TestNothingIsFetchedOnceTheContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("no longer wanted"))
	var fetched atomic.Int32
	p := endless(&fetched)
	if _, _, err := p.List(ctx, options{}); err != context.Canceled {
		t.Errorf("List returned %v", err)
	}
	if err := p.EachListItem(ctx, options{}, func(kruntime.Object) error { return nil }); err != context.Canceled {
		t.Errorf("EachListItem returned %v", err)
	}
	if fetched.Load() != 0 {
		t.Errorf("%d pages were fetched", fetched.Load())
	}
}

func TestContextCancelledAtTheVeryLastItemIsNoError(t *testing.T) {
	for _, pods := range []int{1, 2, 4} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			server := &server{t: t, pods: pods}
			p := &pager.ListPager{PageSize: 1, PageFn: pager.SimplePageFunc(server.list)}
			seen := 0
			err := p.EachListItem(ctx, options{}, func(kruntime.Object) error {
				if seen++; seen == pods {
					cancel()
				}
				return nil
			})
			if err != nil {
				t.Errorf("%d pods: got error %v", pods, err)
			}
		})
	}
}

func BenchmarkEachListItem(b *testing.B) {
	for _, c := range []struct {
		name     string
		pods     int
		pageSize int64
	}{{"one page", 500, 500}, {"ten pages", 5000, 500}} {
		b.Run(c.name, func(b *testing.B) {
			all := make([]corev1.Pod, c.pods)
			p := pager.New(pager.SimplePageFunc(func(opts options) (kruntime.Object, error) {
				done := len(opts.Continue) // one letter a page
				list := &corev1.PodList{Items: all[done*500 : (done+1)*500]}
				if (done+1)*500 < len(all) {
					list.Continue = opts.Continue + "x"
				}
				return list, nil
			}))
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				err := p.EachListItem(b.Context(), options{}, func(kruntime.Object) error { n++; return nil })
				if err != nil || n != c.pods {
					b.Fatal(n, err)
				}
			}
		})
	}
}
