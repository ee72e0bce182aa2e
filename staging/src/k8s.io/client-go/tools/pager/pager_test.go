package pager_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/pager"
)

// A server lists pods that are named by numbers. It is as strict as a real
// one, and notes the requests.
type server struct {
	t        testing.TB
	pods     int
	expire   int // number of the request whose token has expired, from 1
	fail     int // number of the request that fails
	requests []string
}

var (
	errExpired = apierrors.NewResourceExpired("the token has expired")
	errFailed  = errors.New("out of order")
)

func (s *server) list(opts metav1.ListOptions) (kruntime.Object, error) {
	text, err := json.Marshal(opts)
	if err != nil {
		s.t.Error(err)
	}
	s.requests = append(s.requests, strings.ReplaceAll(string(text), `"`, ""))
	switch len(s.requests) {
	case s.expire:
		return nil, errExpired
	case s.fail:
		return nil, errFailed
	}

	from, version := 0, 10+len(s.requests)
	if opts.Continue != "" {
		if opts.ResourceVersion != "" || opts.ResourceVersionMatch != "" {
			return nil, apierrors.NewBadRequest("a token and a resource version")
		}
		if from, err = strconv.Atoi(opts.Continue); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
	}
	to := s.pods
	if opts.Limit > 0 {
		to = min(to, from+int(opts.Limit))
	}
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: strconv.Itoa(version)}}
	for i := from; i < to; i++ {
		list.Items = append(list.Items, corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: strconv.Itoa(i)}})
	}
	if remaining := int64(s.pods - to); remaining > 0 {
		list.Continue, list.RemainingItemCount = strconv.Itoa(to), &remaining
	}
	return list, nil
}

func names(t testing.TB, list kruntime.Object) (names []string) {
	err := meta.EachListItem(list, func(obj kruntime.Object) error {
		names = append(names, obj.(*corev1.Pod).Name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func upTo(n int) (names []string) {
	for i := range n {
		names = append(names, strconv.Itoa(i))
	}
	return names
}

type options = metav1.ListOptions

func TestLists(t *testing.T) {
	for name, c := range map[string]struct {
		server  server
		options options
		whole   bool // FullListIfExpired
		want    []string
		paged   bool
		version string
		asked   []string
	}{
		"nothing": {server: server{}, asked: []string{"{limit:2}"}, version: "11"},
		"one page": {
			server: server{pods: 2}, want: upTo(2), version: "11", asked: []string{"{limit:2}"}},
		"three pages": {
			server: server{pods: 5}, want: upTo(5), version: "11", paged: true,
			asked: []string{"{limit:2}", "{limit:2,continue:2}", "{limit:2,continue:4}"}},
		"a limit of its own": {
			server: server{pods: 5}, options: options{Limit: 3}, want: upTo(5), version: "11", paged: true,
			asked: []string{"{limit:3}", "{limit:3,continue:3}"}},
		"selectors go along, the version only once": {
			server:  server{pods: 3},
			options: options{LabelSelector: "a", ResourceVersion: "5", ResourceVersionMatch: "Exact"},
			want:    upTo(3), version: "11", paged: true,
			asked: []string{
				"{labelSelector:a,resourceVersion:5,resourceVersionMatch:Exact,limit:2}",
				"{labelSelector:a,limit:2,continue:2}",
			}},
		"starting in the middle": {
			server: server{pods: 3}, options: options{Continue: "1"}, want: []string{"1", "2"}, version: "11",
			asked: []string{"{limit:2,continue:1}"}},
		"a token that expires": {
			server: server{pods: 5, expire: 3}, whole: true,
			options: options{LabelSelector: "a", ResourceVersion: "5", Limit: 2},
			want:    upTo(5), version: "14", paged: true,
			asked: []string{
				"{labelSelector:a,resourceVersion:5,limit:2}",
				"{labelSelector:a,limit:2,continue:2}",
				"{labelSelector:a,limit:2,continue:4}",
				"{labelSelector:a,resourceVersion:5}",
			}},
		"a token that has expired before": {
			server: server{pods: 5, expire: 1}, whole: true, options: options{Continue: "2"},
			want: upTo(5), version: "12", asked: []string{"{limit:2,continue:2}", "{}"}},
	} {
		t.Run(name, func(t *testing.T) {
			for alloc, list := range map[bool]func(*pager.ListPager, context.Context, options) (kruntime.Object, bool, error){
				false: (*pager.ListPager).List,
				true:  (*pager.ListPager).ListWithAlloc,
			} {
				server := c.server
				server.t = t
				p := pager.New(pager.SimplePageFunc(server.list))
				p.PageSize, p.FullListIfExpired = 2, c.whole
				got, paged, err := list(p, t.Context(), c.options)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, names(t, got)); diff != "" {
					t.Errorf("alloc %t: items (-want +got):\n%s", alloc, diff)
				}
				if diff := cmp.Diff(c.asked, server.requests); diff != "" {
					t.Errorf("alloc %t: requests (-want +got):\n%s", alloc, diff)
				}
				listMeta, err := meta.ListAccessor(got)
				if err != nil {
					t.Fatal(err)
				}
				if listMeta.GetResourceVersion() != c.version || listMeta.GetContinue() != "" || paged != c.paged {
					t.Errorf("alloc %t: version %s, continue %q, paged %t", alloc, listMeta.GetResourceVersion(), listMeta.GetContinue(), paged)
				}
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		server      server
		options     options
		whole       bool
		want        error
		paged, each int // requests made; items seen by EachListItem
	}{
		"at once":                       {server: server{pods: 5, fail: 1}, whole: true, want: errFailed, paged: 1},
		"expired without a token":       {server: server{pods: 5, expire: 1}, whole: true, want: errExpired, paged: 1},
		"later":                         {server: server{pods: 5, fail: 2}, whole: true, want: errFailed, paged: 2, each: 2},
		"expired, and no full list":     {server: server{pods: 5, expire: 3}, want: errExpired, paged: 3, each: 4},
		"expired, and so the full list": {server: server{pods: 5, expire: 2, fail: 3}, whole: true, want: errFailed, paged: 3, each: 2},
	} {
		t.Run(name, func(t *testing.T) {
			server := c.server
			server.t = t
			p := pager.New(pager.SimplePageFunc(server.list))
			p.PageSize, p.FullListIfExpired = 2, c.whole
			if got, paged, err := p.List(t.Context(), c.options); err != c.want || got != nil || paged != (c.paged > 1) {
				t.Errorf("List returned %v, %t, %v; want error %v", got, paged, err, c.want)
			}
			if len(server.requests) != c.paged {
				t.Errorf("%d requests, want %d", len(server.requests), c.paged)
			}

			server = c.server
			server.t = t
			want, seen := c.want, 0
			if server.expire > 0 {
				want = errExpired // there is no starting over once items were seen
			}
			err := p.EachListItem(t.Context(), c.options, func(kruntime.Object) error { seen++; return nil })
			if err != want || seen != c.each {
				t.Errorf("EachListItem saw %d items and returned %v; want %d and %v", seen, err, c.each, want)
			}
		})
	}
}

func TestWhatIsNoListIsAnError(t *testing.T) {
	for _, obj := range []kruntime.Object{nil, &corev1.Pod{}} {
		p := pager.New(pager.SimplePageFunc(func(options) (kruntime.Object, error) { return obj, nil }))
		if _, _, err := p.List(t.Context(), options{}); err == nil {
			t.Errorf("List of %T: no error", obj)
		}
		if err := p.EachListItem(t.Context(), options{}, func(kruntime.Object) error { return nil }); err == nil {
			t.Errorf("EachListItem of %T: no error", obj)
		}
	}
}

func TestItemsComeInOrderWhateverTheBuffer(t *testing.T) {
	for _, pods := range []int{0, 1, 2, 3, 99, 100} {
		for _, buffer := range []int32{0, 1, 10, 1000} {
			server := &server{t: t, pods: pods}
			p := &pager.ListPager{PageSize: 2, PageFn: pager.SimplePageFunc(server.list), PageBufferSize: buffer}
			for alloc, each := range map[bool]func(*pager.ListPager, context.Context, options, func(kruntime.Object) error) error{
				false: (*pager.ListPager).EachListItem,
				true:  (*pager.ListPager).EachListItemWithAlloc,
			} {
				var got []string
				err := each(p, t.Context(), options{ResourceVersion: "5"}, func(obj kruntime.Object) error {
					got = append(got, obj.(*corev1.Pod).Name)
					return nil
				})
				if err != nil || !slices.Equal(got, upTo(pods)) {
					t.Errorf("%d pods, buffer %d, alloc %t: got %v and error %v", pods, buffer, alloc, got, err)
				}
			}
		}
	}
}

func TestNegativeBufferIsAnError(t *testing.T) {
	p := pager.New(pager.SimplePageFunc(func(options) (kruntime.Object, error) {
		t.Error("a page was fetched")
		return nil, errFailed
	}))
	p.PageBufferSize = -1
	if err := p.EachListItem(t.Context(), options{}, func(kruntime.Object) error { return nil }); err == nil {
		t.Error("no error")
	}
}

func TestListOfSeveralPagesIsOfTheTypeThatProgramsExpect(t *testing.T) {
	server := &server{t: t, pods: 3}
	p := &pager.ListPager{PageSize: 2, PageFn: pager.SimplePageFunc(server.list)}
	got, _, err := p.List(t.Context(), options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := got.(*metainternalversion.List); !ok {
		t.Errorf("got a %T", got)
	}
}

func TestAbsurdRemainingCountDoesNotExhaustMemory(t *testing.T) {
	absurd, calls := int64(1)<<60, 0
	p := pager.New(pager.SimplePageFunc(func(options) (kruntime.Object, error) {
		calls++
		list := &corev1.PodList{Items: make([]corev1.Pod, 1)}
		if calls == 1 {
			list.Continue, list.RemainingItemCount = "more", &absurd
		}
		return list, nil
	}))
	if _, _, err := p.List(t.Context(), options{}); err != nil {
		t.Error(err)
	}
}

func TestItemsOfListWithAllocDoNotKeepTheirPages(t *testing.T) {
	var freed chan string
	p := pager.New(nil)
	p.PageFn = pager.SimplePageFunc(func(opts options) (kruntime.Object, error) {
		list := &corev1.PodList{Items: make([]corev1.Pod, 10)}
		list.Continue = map[string]string{"": "second", "second": ""}[opts.Continue]
		// The first item's address is that of the array.
		runtime.SetFinalizer(&list.Items[0], func(*corev1.Pod) { freed <- opts.Continue })
		return list, nil
	})

	// wait collects garbage until both pages are gone.
	wait := func(keep any) {
		deadline := time.After(30 * time.Second)
		for range 2 {
			for got := false; !got; {
				runtime.GC()
				select {
				case <-freed:
					got = true
				case <-deadline:
					t.Fatal("a page was kept")
				default:
				}
			}
		}
		runtime.KeepAlive(keep)
	}

	freed = make(chan string, 2)
	list, _, err := p.ListWithAlloc(t.Context(), options{})
	if err != nil {
		t.Fatal(err)
	}
	wait(list)

	freed = make(chan string, 2)
	var kept []kruntime.Object
	err = p.EachListItemWithAlloc(t.Context(), options{}, func(obj kruntime.Object) error {
		kept = append(kept, obj)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wait(kept)
}

func ExampleListPager_EachListItem() {
	names := []string{"web-1", "web-2", "web-3"}
	pods := pager.New(func(_ context.Context, opts metav1.ListOptions) (kruntime.Object, error) {
		// A real one calls a client's List.
		page := &corev1.PodList{}
		n, _ := strconv.Atoi(opts.Continue)
		page.Items = append(page.Items, corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: names[n]}})
		if n+1 < len(names) {
			page.Continue = strconv.Itoa(n + 1)
		}
		return page, nil
	})
	err := pods.EachListItem(context.Background(), metav1.ListOptions{}, func(obj kruntime.Object) error {
		fmt.Println(obj.(*corev1.Pod).Name)
		return nil
	})
	fmt.Println(err)
	// Output:
	// web-1
	// web-2
	// web-3
	// <nil>
}
