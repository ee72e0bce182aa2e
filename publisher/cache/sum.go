package cache

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// castagnoli is the polynomial that processors have an instruction for: a
// large cache is checked in hundredths of a second.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumFile is where the checksum of a cache lies, for cache.db in cache.sum. A
// run that is killed between writing one and the other loses the cache.
func sumFile(file string) string {
	return strings.TrimSuffix(file, filepath.Ext(file)) + ".sum"
}

func checkSum(file string) error {
	want, err := os.ReadFile(sumFile(file))
	if err != nil {
		return err
	}
	got, err := sum(file)
	if err == nil && got != string(want) {
		err = fmt.Errorf("%s is damaged: its checksum is not that in %s", file, sumFile(file))
	}
	return err
}

func writeSum(file string) error {
	s, err := sum(file)
	if err != nil {
		return err
	}
	return os.WriteFile(sumFile(file), []byte(s), 0o666)
}

func sum(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	h := crc32.New(castagnoli)
	n, err := io.Copy(h, f)
	return fmt.Sprintf("crc32c %08x of %d bytes\n", h.Sum32(), n), errors.Join(err, f.Close())
}
