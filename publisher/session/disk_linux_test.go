package session_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFullDiskLeavesMirrorsAsTheyWere fills real file systems. Who may mount
// none is left with the limits above.
func TestFullDiskLeavesMirrorsAsTheyWere(t *testing.T) {
	t.Parallel()
	w := growing(t)
	want := w.scratch()
	mirrors := w.mirrors
	failed, space := 0, 0
	for kilobytes := 100; space == 0; kilobytes += 40 {
		w.mirrors = filepath.Join(w.dir, fmt.Sprint("disk", kilobytes))
		w.must(os.Mkdir(w.mirrors, 0o777))
		disk := w.mirrors
		size := func(kb int) string { return fmt.Sprintf("size=%dk", kb) }
		err := syscall.Mount("none", disk, "tmpfs", 0, size(kilobytes))
		if errors.Is(err, syscall.EPERM) {
			return
		}
		w.must(err)
		func() {
			defer func() { w.must(syscall.Unmount(disk, syscall.MNT_DETACH)) }()
			if exec.Command("cp", "-a", mirrors+"/.", disk).Run() != nil {
				return // Not even what was published before fits.
			}
			if w.starved(w.publisher("sync"), want) {
				failed++
			} else {
				space = kilobytes
			}
			w.sound()
			w.must(syscall.Mount("none", disk, "tmpfs", syscall.MS_REMOUNT, size(20000)))
			w.sync()
			if got := w.refs(); got != want {
				t.Errorf("%d KiB: the mirrors have\n%s\nwith space they would have\n%s", kilobytes, got, want)
			}
		}()
	}
	if failed < 3 {
		t.Errorf("only %d runs filled their disk", failed)
	}
}
