package modhash

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
)

// TestFullDiskIsNeverAFaultOfTheModule fills real file systems. Who may mount
// none is left with the faults that git is made to tell of.
func TestFullDiskIsNeverAFaultOfTheModule(t *testing.T) {
	want := convertedSum(t)
	full, space := 0, 0
	for kilobytes := 4; space < 2; kilobytes += 4 {
		dir := t.TempDir()
		err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", kilobytes))
		if errors.Is(err, syscall.EPERM) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
					t.Fatal(err)
				}
			}()
			t.Setenv("TMPDIR", dir)
			if sameOrError(t, fmt.Sprintf("%d KiB", kilobytes), want) {
				space++
			} else {
				full++
			}
		}()
	}
	if full < 3 {
		t.Errorf("only %d runs filled their disk", full)
	}
}
