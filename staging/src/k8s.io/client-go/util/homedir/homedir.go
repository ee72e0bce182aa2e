// Package homedir finds the directory in which a user's kubeconfig file is.
package homedir

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// HomeDir returns the home directory of the user, or "" if the environment does
// not tell. That is $HOME, except on Windows, where several variables are in
// use. There it is the first of these that is found:
//
//   - one of %HOME%, %HOMEDRIVE%%HOMEPATH% and %USERPROFILE%, in this order,
//     with a file .kube\config in it,
//   - one of %HOME%, %USERPROFILE% and %HOMEDRIVE%%HOMEPATH%, in this order,
//     that is a directory and writable,
//   - one of them that exists,
//   - one of them that is set.
func HomeDir() string {
	if runtime.GOOS != "windows" {
		return os.Getenv("HOME")
	}
	return windowsHome(os.Getenv)
}

func windowsHome(getenv func(string) string) string {
	home, profile := getenv("HOME"), getenv("USERPROFILE")
	var drive string
	if path := getenv("HOMEPATH"); path != "" {
		drive = getenv("HOMEDRIVE") + path
	}
	unset := func(dir string) bool { return dir == "" }

	// The drive came before the profile once, and files that were written
	// then are still found.
	for _, dir := range slices.DeleteFunc([]string{home, drive, profile}, unset) {
		if _, err := os.Stat(filepath.Join(dir, ".kube", "config")); err == nil {
			return dir
		}
	}
	candidates := slices.DeleteFunc([]string{home, profile, drive}, unset)
	for _, good := range []func(string) bool{writable, exists, isSet} {
		if i := slices.IndexFunc(candidates, good); i >= 0 {
			return candidates[i]
		}
	}
	return ""
}

func writable(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir() && info.Mode().Perm()&0o200 != 0
}

func exists(dir string) bool {
	_, err := os.Stat(dir)
	return err == nil
}

func isSet(dir string) bool { return dir != "" }
