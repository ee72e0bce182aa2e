package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"golang.org/x/mod/sumdb/note"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/status"
	"k8s.io/publisher/webserver"
)

const host = "mirrors.example.org"

// site is one that was written, and is served.
type site struct{ dir string }

// writeSite writes the site of what was published.
func (w *world) writeSite(ctx context.Context, docs string) (*site, error) {
	if err := w.setDates(); err != nil {
		return nil, err
	}
	key := w.dir + "-site.key"
	if err := os.WriteFile(key, []byte(privateKey()), 0o600); err != nil {
		return nil, err
	}
	s := &site{w.dir + "-site"}
	_, err := w.run(w.command(ctx, w.publisher, "site", "--out", s.dir, "--base-url", "https://"+host, "--sumdb-key", key, "--docs", docs))
	return s, err
}

// setDates has the last run be an hour after the last commit.
func (w *world) setDates() error {
	folder := mirror.WorkDir(w.dir)
	s, err := status.Read(folder)
	if err != nil {
		return err
	}
	ran := when(len(history) - 1).Add(time.Hour)
	s.Run.Started, s.Run.Finished = ran, ran
	for i := range s.Destinations {
		s.Destinations[i].LastSuccess = &ran
	}
	return s.Write(folder)
}

// privateKey is the same every time, and so no secret. Its form is that of package note.
func privateKey() string {
	seed := sha256.Sum256([]byte("pictures of the site"))
	public, err := note.NewEd25519VerifierKey(host, ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey))
	if err != nil {
		panic(err) // There is nothing in it that could fail.
	}
	hash := public[len(host)+1:][:8]
	return fmt.Sprintf("PRIVATE+KEY+%s+%s+%s\n", host, hash, base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...)))
}

// The picture goes from the top of the page to the end of the table of modules. It is so
// many CSS pixels wide, of which each has so many pixels of the picture, in both directions.
const (
	width, density = 1120, 1.5

	end = `document.querySelector("#modules-table").getBoundingClientRect().bottom + 16`
)

// pictures takes pictures of the first page, unless those that are there show it.
func (s *site) pictures(ctx context.Context, folder string) error {
	digest, err := s.digest()
	if err != nil {
		return err
	}
	known := filepath.Join(folder, "site.sha256")
	names := make([]string, len(schemes))
	there := true
	for i, c := range schemes {
		names[i] = filepath.Join(folder, "site-"+c.name+".png")
		_, err := os.Stat(names[i])
		there = there && err == nil
	}
	if before, err := os.ReadFile(known); err == nil && bytes.Equal(before, digest) && there {
		return nil
	}
	for i, c := range schemes {
		picture, err := s.take(ctx, c)
		if err != nil {
			return err
		}
		if err := replace(names[i], picture); err != nil {
			return err
		}
	}
	return replace(known, digest)
}

// digest stands for all that a picture depends on, but for browser and fonts.
func (s *site) digest() ([]byte, error) {
	h := sha256.New()
	fmt.Fprintln(h, width, density, end)
	files, err := fs.Glob(os.DirFS(s.dir), "assets/*")
	if err != nil {
		return nil, err
	}
	for _, name := range append(files, "index.html") {
		data, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(h, "%s %d\n", name, len(data))
		h.Write(data)
	}
	return fmt.Appendf(nil, "%x  the page that the pictures of the site show\n", h.Sum(nil)), nil
}

// take takes a picture of the first page.
func (s *site) take(ctx context.Context, c scheme) (picture []byte, err error) {
	server, err := webserver.New(s.dir, webserver.Options{})
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(serving, listener) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended, server.Close())
	}()

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("hide-scrollbars", true))
	allocator, closeBrowser := chromedp.NewExecAllocator(ctx, options...)
	defer closeBrowser()
	tab, closeTab := chromedp.NewContext(allocator)
	defer closeTab()
	var height float64
	err = chromedp.Run(tab,
		chromedp.EmulateViewport(width, width, chromedp.EmulateScale(density)),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: c.name}}),
		chromedp.Navigate("http://"+listener.Addr().String()+"/index.html"),
		chromedp.Evaluate(end, &height),
		chromedp.ActionFunc(func(ctx context.Context) error {
			clip := &page.Viewport{Width: width, Height: height, Scale: 1}
			picture, err = page.CaptureScreenshot().WithFormat(page.CaptureScreenshotFormatPng).WithClip(clip).Do(ctx)
			return err
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("take a picture with Chromium, of Debian's package chromium: %w", err)
	}
	return smaller(picture)
}

// smaller has no more colours than a byte can tell apart: the commonest of a picture, which
// are nearly all that it has, and the nearest to each of the others. That makes the file a
// third as large.
func smaller(picture []byte) ([]byte, error) {
	from, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	pixels := make(map[color.RGBA]int)
	bounds := from.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			pixels[color.RGBAModel.Convert(from.At(x, y)).(color.RGBA)]++
		}
	}
	commonest := slices.SortedFunc(maps.Keys(pixels), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(pixels[b], pixels[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for _, c := range commonest[:min(len(commonest), 256)] {
		palette = append(palette, c)
	}
	to := image.NewPaletted(bounds, palette)
	draw.Draw(to, bounds, from, bounds.Min, draw.Src)
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&out, to)
	return out.Bytes(), err
}
