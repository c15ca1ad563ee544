//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// Note is told reliably: one in each tick.
type Note struct {
	N    uint64
	Text string
}

// Value is one of which only the newest counts.
type Value struct {
	Key int
	N   uint64
	At  int64 // when the tick ran; CLOCK_MONOTONIC, in ns
}

const (
	note  room.Event[Note]  = "note"
	value room.Event[Value] = "value"

	rate   = 20  // ticks a second
	values = 4   // keys
	text   = 200 // bytes in a note
	kind   = "stall"
)

// game talks in each tick, and hears nothing.
type game struct {
	room *room.Room
	n    uint64
	text string
}

// Join lets everybody in.
func (g *game) Join(*room.Client) error { return nil }

// Leave does nothing.
func (g *game) Leave(*room.Client) {}

// Tick tells everyone.
func (g *game) Tick(tick.Tick) {
	g.n++
	room.Emit(g.room, note, Note{g.n, g.text})
	now := monotonic()
	for key := range values {
		room.EmitLatest(g.room, value, uint64(key), Value{key, g.n, now})
	}
}

// memory is what the server's process holds, in bytes.
type memory struct{ RSS, Heap int64 }

// serve is the life of the server's process: it says where it listens, and answers each line of input by its memory. The end of
// the input is its own.
func serve(in io.Reader, out io.Writer) error {
	k := room.Define(kind, func(r *room.Room) *game {
		return &game{room: r, text: strings.Repeat("x", text)}
	}, room.Config{Rate: rate, EmptyFor: -1})
	srv := volley.New(volley.Config{
		Addr: "127.0.0.1:0", Listen: listen,
		ConnsPerAddress: -1, HandshakesPerSecondPerAddress: -1, // all clients have one
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}, k)
	if err := srv.Listen(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- srv.Run(ctx) }()
	w := json.NewEncoder(out)
	err := w.Encode("ws://" + srv.Addr().String() + "/volley")
	for lines := bufio.NewScanner(in); err == nil && lines.Scan(); {
		var m memory
		if m, err = memoryNow(); err == nil {
			err = w.Encode(m)
		}
	}
	stop()
	if e := <-served; err == nil {
		err = e
	}
	return err
}

// sendBuffer is what the kernel may take of a connection's frames, in bytes, which it doubles. Left to itself it takes megabytes
// on loopback, and no stall of some seconds would ever reach the server.
const sendBuffer = 8 << 10

func listen(network, addr string) (net.Listener, error) {
	cfg := net.ListenConfig{Control: control(unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer)}
	return cfg.Listen(context.Background(), network, addr)
}

// control sets an option of a socket before it is used; what is accepted from a listener inherits it.
func control(level, option, value int) func(network, address string, raw syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		var err error
		if e := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), level, option, value) }); e != nil {
			return e
		}
		return err
	}
}

// memoryNow reads the resident set as it is, and then the heap in use after a collection.
func memoryNow() (m memory, err error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return m, err
	}
	var pages int64
	if _, err = fmt.Sscan(string(b), new(int64), &pages); err != nil {
		return m, fmt.Errorf("/proc/self/statm: %w", err)
	}
	m.RSS = pages * int64(os.Getpagesize())
	runtime.GC()
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	m.Heap = int64(s[0].Value.Uint64())
	return m, nil
}

// monotonic is CLOCK_MONOTONIC in ns, which all processes of a machine share.
func monotonic() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // it cannot fail with this clock
	return ts.Nano()
}
