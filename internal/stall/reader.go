//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/codec"
)

// reader is one client.
type reader struct {
	client  *client.Client
	stalls  bool // when its turn comes
	fault   func(format string, args ...any)
	index   int
	newest  *atomic.Uint64 // the newest tick that anybody in its room has seen
	notes   uint64         // the last that came
	in      [values]int    // how often each value is in the frame
	packets int            // notes in the frame

	socket syscall.RawConn // of a client that stalls

	mu     sync.Mutex
	times  []int64       // ns from tick to callback, of this window
	asleep chan struct{} // the client waits until it is closed; nil: it reads
	wakes  *waking       // nil: it is up to date
}

// waking is how a client catches up.
type waking struct {
	target  uint64 // the tick that it must reach
	kernel  int    // frames of one tick each, that the kernel had
	frames  int    // frames behind those
	largest int    // notes in one of them
	done    chan struct{}
}

// The receive buffer of a client that stalls is so small that the kernel cannot hide it. While the client catches up it is
// larger: a frame of 40 KB through a window of two would be a test of the kernel. It is not much larger, because a window that
// the kernel has offered stays open until so much has come.
const (
	receiveBuffer = 2 << 10
	wakingBuffer  = 16 << 10
)

// dial connects with the small buffer.
func (r *reader) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Control: control(unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)}
	conn, err := d.DialContext(ctx, network, address)
	if err == nil {
		r.socket, err = conn.(*net.TCPConn).SyscallConn()
	}
	return conn, err
}

// enter connects and joins the room with that id or, if it is empty, makes one, and returns its id.
func (r *reader) enter(ctx context.Context, url, id string) (string, error) {
	cfg := client.Config{Reconnect: client.Reconnect{Off: true}}
	if r.stalls {
		cfg.NetDial = r.dial
	}
	var err error
	if r.client, err = client.Dial(ctx, url, cfg); err != nil {
		return "", err
	}
	var in *client.Room
	if id == "" {
		in, err = r.client.Create(ctx, kind, nil, r.setUp)
	} else {
		in, err = r.client.JoinByID(ctx, id, nil, r.setUp)
	}
	if err != nil {
		return "", err
	}
	return in.ID(), nil
}

func (r *reader) setUp(in *client.Room) {
	client.On(in, note, func(n Note, _ client.Meta) {
		if r.notes != 0 && n.N != r.notes+1 {
			r.fault("client %d: note %d came after %d", r.index, n.N, r.notes)
		}
		r.notes = n.N
		r.packets++
	})
	client.On(in, value, func(v Value, _ client.Meta) {
		if r.in[v.Key]++; v.Key == 0 && !r.stalls {
			r.mu.Lock()
			r.times = append(r.times, monotonic()-v.At)
			r.mu.Unlock()
		}
	})
	in.OnVolley(r.volley)
	in.OnLeft(func(code codec.Code, reason string) {
		if code != codec.Normal {
			r.fault("client %d is out: %d %s", r.index, code, reason)
		}
	})
}

// volley is told that a frame is through.
func (r *reader) volley(m client.Meta) {
	if !r.stalls {
		r.newest.Store(max(r.newest.Load(), m.Tick))
	}
	for key, n := range r.in {
		if n > 1 {
			r.fault("client %d: a frame has value %d %d times", r.index, key, n)
		}
	}
	packets := r.packets
	r.in, r.packets = [values]int{}, 0
	r.mu.Lock()
	if w := r.wakes; w != nil {
		w.frame(packets)
		if m.Tick >= w.target {
			close(w.done)
			r.wakes = nil
		}
	}
	asleep := r.asleep
	r.mu.Unlock()
	if asleep != nil {
		<-asleep // nothing is read meanwhile
	}
}

// frame counts a frame of a client that catches up. One of several notes is where the server had stopped sending; tick numbers
// would not tell, since a server that is late skips some.
func (w *waking) frame(notes int) {
	if w.frames == 0 && notes == 1 {
		w.kernel++
		return
	}
	w.frames++
	w.largest = max(w.largest, notes)
}

// sleep has the client stop reading, with the next frame.
func (r *reader) sleep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asleep = make(chan struct{})
}

// receive sets the receive buffer of a client that stalls.
func (r *reader) receive(size int) {
	_ = control(unix.SOL_SOCKET, unix.SO_RCVBUF, size)("", "", r.socket) // without it the stall is none, which is seen
}

// wake has it read again, and returns how it will have caught up when done is closed.
func (r *reader) wake() *waking {
	r.receive(wakingBuffer)
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &waking{target: r.newest.Load(), done: make(chan struct{})}
	r.wakes = w
	close(r.asleep)
	r.asleep = nil
	return w
}

// faults collects what must not be.
type faults struct {
	mu   sync.Mutex
	list []string
	n    int
}

func (f *faults) add(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n++; f.n <= 20 {
		f.list = append(f.list, fmt.Sprintf(format, args...))
	}
}
