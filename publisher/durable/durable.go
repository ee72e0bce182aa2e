// Package durable waits until files are on the disk, so that what is written next may say
// that they are there, also after a loss of power.
package durable

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
)

// few is the number of files up to which each is waited for by itself, and not all that is
// on its way to the disk, whoever wrote it.
const few = 200

// Files waits until files below a folder, and the folders that name them, are on the disk.
func Files(ctx context.Context, dir string, names []string) error {
	if len(names) > few {
		if done, err := fileSystem(dir); done || err != nil {
			return err
		}
	}
	folders := map[string]bool{dir: true}
	for _, name := range names {
		for d := filepath.Dir(name); !folders[d] && d != filepath.Dir(d); d = filepath.Dir(d) {
			folders[d] = true
		}
	}
	if err := each(ctx, names); err != nil {
		return err
	}
	return each(ctx, slices.Collect(maps.Keys(folders)))
}

func each(ctx context.Context, names []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16) // a file system takes many at once
	for _, name := range names {
		group.Go(func() error {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			return errors.Join(ctx.Err(), f.Sync(), f.Close())
		})
	}
	return group.Wait()
}
