// Package child is a rival's side of the bench's lines: a spec, then commands, on standard input; answers on standard output.
// bench/plug.go and bench/wire.go describe them.
package child

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/volley-go/volley/bench/rivals/internal/game"
)

// Spec is what a rival reads of the bench's serverSpec.
type Spec struct {
	Addr      string `json:"addr"`
	Transport string `json:"transport"` // ws or tcp
	TLS       bool   `json:"tls"`
	ReusePort bool   `json:"reuse_port"`
	Workload  string `json:"workload"`
	Rate      int    `json:"rate"`    // ticks a second
	Clients   int    `json:"clients"` // in a room
}

type command struct {
	Do     string `json:"do"`
	Reset  bool   `json:"reset"`
	Burst  int    `json:"burst"`
	Window int    `json:"window"`
}

type reply struct {
	Err    string  `json:"err,omitempty"`
	Addr   string  `json:"addr,omitempty"`
	Server *report `json:"server,omitempty"`
}

type report struct {
	Allocs   uint64       `json:"allocs"`
	GCs      uint32       `json:"gcs"`
	Steps    uint64       `json:"steps"`
	Skipped  uint64       `json:"skipped"`
	Lateness []percentile `json:"lateness,omitempty"`
}

type percentile struct {
	P  float64 `json:"p"`
	Us float64 `json:"us"`
}

// shown are the percentiles that the bench's charts have.
var shown = []float64{0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100}

// Rival is a server.
type Rival struct {
	Transport string // ws or tcp
	// Start sets g.Cast, begins to serve as spec says, and returns where.
	Start func(spec Spec, g *game.Games) (addr string, err error)
	// Ticks is true if Start sees to the ticks as well; otherwise a goroutine runs them.
	Ticks bool
}

// Run is the life of the process: it ends when the bench closes its input.
func Run(r Rival) {
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(ours())
	var spec Spec
	if !next(in, &spec) {
		return
	}
	g := game.New(spec.Rate, spec.Clients)
	addr, err := r.start(spec, g)
	if err != nil {
		_ = out.Encode(reply{Err: err.Error()})
		return
	}
	if spec.Workload == game.Rooms && !r.Ticks {
		go g.Keep()
	}
	for answer := (reply{Addr: addr}); out.Encode(answer) == nil; {
		var c command
		if !next(in, &c) {
			return
		}
		answer = do(c, g)
	}
}

// ours is standard output, which from now on is standard error to everybody else: what a library prints is not for the bench.
func ours() *os.File {
	fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err == nil {
		err = unix.Dup3(2, 1, 0)
	}
	if err != nil {
		panic(err)
	}
	return os.NewFile(uintptr(fd), "bench")
}

func (r Rival) start(spec Spec, g *game.Games) (string, error) {
	switch {
	case spec.TLS:
		return "", fmt.Errorf("no TLS here")
	case spec.Transport != r.Transport:
		return "", fmt.Errorf("it serves %s, not %s", r.Transport, spec.Transport)
	}
	return r.Start(spec, g)
}

// next reads a line into v; false at the end.
func next(in *bufio.Reader, v any) bool {
	line, err := in.ReadBytes('\n')
	return err == nil && json.Unmarshal(line, v) == nil
}

func do(c command, g *game.Games) reply {
	switch c.Do {
	case "mark", "settle":
		if c.Do == "settle" {
			debug.FreeOSMemory()
		}
		return reply{Server: mark(g.Late(c.Reset))}
	case "allocs":
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return reply{Server: &report{Allocs: m.Mallocs}}
	case "broadcast":
		g.Broadcast(c.Burst, c.Window)
		return reply{}
	}
	return reply{Err: fmt.Sprintf("a rival does not know %q", c.Do)}
}

func mark(l game.Lateness) *report {
	var gc debug.GCStats
	debug.ReadGCStats(&gc)
	r := &report{GCs: uint32(gc.NumGC), Steps: l.Steps, Skipped: l.Skipped}
	if n := len(l.Sorted); n > 0 {
		for _, p := range shown {
			rank := max(int(math.Ceil(p/100*float64(n))), 1)
			r.Lateness = append(r.Lateness, percentile{p, float64(l.Sorted[rank-1]) / 1e3})
		}
	}
	return r
}

// Listen opens the spec's port, shared with other processes if it says so.
func Listen(spec Spec) (net.Listener, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		if !spec.ReusePort {
			return nil
		}
		var err error
		if e := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}); e != nil {
			return e
		}
		return err
	}}
	return lc.Listen(context.Background(), "tcp", spec.Addr)
}

// Frame appends a whole WebSocket frame of a server to b: binary, unmasked, of less than 64 KiB.
func Frame(b, message []byte) []byte {
	if n := len(message); n < 126 {
		b = append(b, 0x82, byte(n))
	} else {
		b = append(b, 0x82, 126, byte(n>>8), byte(n))
	}
	return append(b, message...)
}
