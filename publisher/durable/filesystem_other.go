//go:build !linux

package durable

func fileSystem(string) (bool, error) { return false, nil }
