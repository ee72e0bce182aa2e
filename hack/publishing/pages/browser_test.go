package pages

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"k8s.io/publisher/pages"
	"k8s.io/publisher/webserver"
)

// chromium is started once, for all tests.
var chromium context.Context

func TestMain(m *testing.M) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	var close func()
	chromium, close = chromedp.NewContext(allocator)
	if err := chromedp.Run(chromium); err != nil {
		fmt.Fprintln(os.Stderr, "start Chromium, of Debian's package chromium:", err)
		os.Exit(1)
	}
	code := m.Run()
	close()
	end()
	os.Exit(code)
}

// axe is the source of axe-core.
func axe(t *testing.T) string {
	t.Helper()
	name := os.Getenv("AXE")
	if name == "" {
		t.Fatal("AXE names no axe.min.js of axe-core: run make e2e-site, which fetches it")
	}
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// server is a site that is served.
type server struct {
	URL string
	dir string
}

// serve writes a site, and serves it as publisher serve does.
func serve(t *testing.T, in pages.Input) *server {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "site")
	if err := pages.Write(t.Context(), dir, in); err != nil {
		t.Fatal(err)
	}
	files, err := webserver.New(dir, webserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- files.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, files.Close()); err != nil {
			t.Error(err)
		}
	})
	return &server{"http://" + l.Addr().String(), dir}
}

// pages are the names of all.
func (s *server) pages(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(s.dir, func(name string, entry os.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".html" {
			name, err = filepath.Rel(s.dir, name)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil || len(names) == 0 {
		t.Fatalf("%d pages: %v", len(names), err)
	}
	return names
}

// tab is a tab of the browser. What goes wrong in it fails the test.
type tab struct {
	testing.TB
	context.Context

	mutex      sync.Mutex
	complaints []string
}

func newTab(t *testing.T) *tab {
	t.Helper()
	ctx, close := chromedp.NewContext(chromium)
	t.Cleanup(close)
	// The tab ends with the context that it is first used with, which must have no limit.
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	b := &tab{TB: t, Context: ctx}
	chromedp.ListenTarget(ctx, func(event any) {
		b.mutex.Lock()
		defer b.mutex.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.complaints = append(b.complaints, e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			b.complaints = append(b.complaints, fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	})
	b.do(log.Enable(), browser.GrantPermissions([]browser.PermissionType{browser.PermissionTypeClipboardReadWrite, browser.PermissionTypeClipboardSanitizedWrite}))
	return b
}

// patience is how long a step may take on a machine that has much else to do.
const patience = 2 * time.Minute

// do does things one after the other.
func (b *tab) do(actions ...chromedp.Action) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

// eval evaluates an expression.
func eval[T any](b *tab, expression string) (value T) {
	b.Helper()
	wait := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	b.do(chromedp.Evaluate(expression, &value, wait))
	return value
}

// check fails the test where the browser had something to say.
func (b *tab) check(where string) {
	b.Helper()
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, c := range b.complaints {
		b.Errorf("%s: the browser says: %s", where, c)
	}
	b.complaints = nil
}

// look is how a page is looked at.
type look struct {
	name          string
	width, height int64
	scheme        string
}

var looks = []look{
	{"phone-light", 390, 844, "light"}, {"phone-dark", 390, 844, "dark"},
	{"desktop-light", 1280, 900, "light"}, {"desktop-dark", 1280, 900, "dark"},
}

func (l look) apply() chromedp.Action {
	return chromedp.Tasks{
		chromedp.EmulateViewport(l.width, l.height),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}),
	}
}

// picture keeps what is seen, where SCREENSHOTS says so.
func (b *tab) picture(name string) {
	b.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	var data []byte
	b.do(chromedp.FullScreenshot(&data, 100))
	name = filepath.Join(dir, strings.NewReplacer("/", "_", ".html", "").Replace(name)+".png")
	if err := errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(name, data, 0o666)); err != nil {
		b.Fatal(err)
	}
}
