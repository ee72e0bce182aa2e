package cmd

import (
	"errors"
	"os"
	"runtime/pprof"
)

// profile is a CPU profile that is being written. A nil one is none.
type profile struct{ file *os.File }

func startProfile(name string) (*profile, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &profile{file}, nil
}

func (p *profile) stop() error {
	if p == nil {
		return nil
	}
	pprof.StopCPUProfile()
	return p.file.Close()
}
