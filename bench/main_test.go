//go:build linux

package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The test binary is its own server and load generator, as the bench is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr}))
	}
	goleak.VerifyTestMain(m)
}
