package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"time"
)

// resources are what this process holds: server, clients and proxies together.
type resources struct {
	goroutines int
	heap       int // bytes in use after a collection
	files      int // descriptors
}

func (r resources) String() string {
	return fmt.Sprintf("%d goroutines, heap %d KiB, %d file descriptors", r.goroutines, r.heap>>10, r.files)
}

// resourcesNow counts them, after two collections: what pools keep goes with the second.
func resourcesNow() (r resources) {
	runtime.GC()
	runtime.GC()
	time.Sleep(50 * time.Millisecond) // goroutines that are ending
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	r.heap = int(s[0].Value.Uint64())
	r.goroutines = runtime.NumGoroutine()
	if files, err := os.ReadDir("/dev/fd"); err == nil {
		r.files = len(files)
	}
	return r
}

// Slack is what may be there that is no growth: goroutines that come and go, and what maps and pools keep of their best days.
const (
	slackGoroutines = 4
	slackFiles      = 2
	slackHeap       = 512 << 10 // and a tenth
)

// grown is the error of having grown since start.
func (r resources) grown(start resources) error {
	var errs []error
	for _, c := range []struct {
		what             string
		was, is, allowed int
	}{
		{"goroutines", start.goroutines, r.goroutines, start.goroutines + slackGoroutines},
		{"file descriptors", start.files, r.files, start.files + slackFiles},
		{"bytes of heap", start.heap, r.heap, start.heap + start.heap/10 + slackHeap},
	} {
		if c.is > c.allowed {
			errs = append(errs, fmt.Errorf("%s have grown from %d to %d", c.what, c.was, c.is))
		}
	}
	return errors.Join(errs...)
}
