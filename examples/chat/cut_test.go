package main

import (
	"io"
	"net"
	"sync"
	"testing"
)

// wire is a way to the server that can be cut.
type wire struct {
	addr string

	mu      sync.Mutex
	blocked bool                  // guarded by mu: nobody comes through
	open    map[net.Conn]struct{} // guarded by mu: both ends of each connection
}

// cutter listens until the test ends and passes every connection on to the server at addr.
func cutter(t *testing.T, addr string) *wire {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{addr: ln.Addr().String(), open: map[net.Conn]struct{}{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { w.pass(near, addr) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		w.block(true)
		w.cut()
		running.Wait()
	})
	return w
}

// pass copies both ways until either end is closed.
func (w *wire) pass(near net.Conn, addr string) {
	defer near.Close()
	far, err := net.Dial("tcp", addr)
	if err != nil || !w.keep(near, far) {
		return
	}
	defer far.Close()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_ = near.Close()
			_ = far.Close()
		})
	}
	both.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, near)
	delete(w.open, far)
}

// keep remembers both ends of a connection, and reports whether it may come through.
func (w *wire) keep(ends ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, end := range ends {
		if w.blocked {
			_ = end.Close()
		} else {
			w.open[end] = struct{}{}
		}
	}
	return !w.blocked
}

// block keeps new connections from coming through, or lets them.
func (w *wire) block(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blocked = on
}

// cut ends all connections without a word.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for end := range w.open {
		_ = end.Close()
	}
}
