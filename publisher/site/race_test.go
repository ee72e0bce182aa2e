package site_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/publisher/gittest"
)

// TestReadersSeeWholeStates reads all the time while the site is brought up to date: what is
// listed is there, and git clones.
func TestReadersSeeWholeStates(t *testing.T) {
	w := newWorld(t)
	done := make(chan struct{})
	var readers sync.WaitGroup
	read := func(what func() error) {
		readers.Go(func() {
			for last := false; ; {
				if err := what(); err != nil {
					t.Error(err)
					return
				}
				if last {
					return
				}
				select {
				case <-done:
					last = true
				default:
				}
			}
		})
	}
	read(w.listedIsThere)
	read(func() error {
		dir := filepath.Join(t.TempDir(), "clone")
		gittest.Git(t, t.TempDir(), "", "clone", "--quiet", "--bare", w.server.URL+"/git/api.git", dir)
		return nil
	})
	before := "C"
	for i := range 4 {
		name := fmt.Sprint("R", i)
		w.commit(name, 10+i, before)
		before = name
		w.Source.Branch("main", w.Source.Commits[name])
		w.Source.Tag(fmt.Sprintf("v1.21.%d", i), w.Source.Commits[name])
		w.Publish()
		if i%2 == 1 {
			w.Git("api", "repack", "-adq")
		}
		w.write()
	}
	close(done)
	readers.Wait()
}

// listedIsThere follows what is told to what is there.
func (w *world) listedIsThere() error {
	const module = "/mod/example.com/group/!client"
	list, err := w.get(module + "/@v/list")
	if err != nil {
		return err
	}
	versions := strings.Fields(list)
	for _, name := range []string{"/@latest", "/@v/master.info"} {
		text, err := w.get(module + name)
		if err != nil {
			return err
		}
		var info struct{ Version string }
		if err := json.Unmarshal([]byte(text), &info); err != nil {
			return fmt.Errorf("%s: %w: %s", name, err, text)
		}
		versions = append(versions, info.Version)
	}
	for _, v := range versions {
		for _, name := range []string{module + "/@v/" + v + ".info", module + "/@v/" + v + ".mod", module + "/@v/" + v + ".zip", "/sumdb/lookup/example.com/group/!client@" + v} {
			if _, err := w.get(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) get(name string) (string, error) {
	answer, err := http.Get(w.server.URL + name)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", name, answer.Status)
	}
	return string(data), err
}
