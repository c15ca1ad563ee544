//go:build linux

package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/volley-go/volley/codec"
)

// The styles of load.
const (
	stylePaced  = "paced"  // each connection sends once in a period, at a phase of its own
	styleTurns  = "turns"  // each sends when its last answer has come
	styleListen = "listen" // each only acknowledges; some say which broadcast they have
)

// load is a load process: its connections, and what it has counted. mu guards everything: the loop holds it while it works, and
// so do the goroutines of TLS connections.
type load struct {
	// Static after construction.
	spec    loadSpec
	framing framing
	dialect dialect
	hello   []byte // the upgrade request, or for TCP the first frames
	ep      int    // epoll
	bell    int    // an eventfd that wakes the loop

	mu      sync.Mutex
	conns   []conn
	dialing dialing
	pacer   pacer
	joined  int
	live    int
	playing bool
	closed  map[string]int

	// Of the window.
	due, sent, frames, messages, answers, bytes uint64
	latency, late                               latencies

	// What one event needs.
	scratch []byte // for reading
	packets []codec.Packet
	now     int64
}

func newLoad(spec loadSpec) (*load, error) {
	l := &load{
		spec: spec, framing: webSocket{}, closed: map[string]int{},
		latency: newLatencies(), late: newLatencies(), scratch: make([]byte, 256<<10),
	}
	if spec.Transport == "tcp" {
		l.framing = rawTCP{}
	}
	switch spec.Dialect {
	case "", dialectVolley:
		l.dialect = &volleyDialect{}
	case dialectBare:
		l.dialect = &bareDialect{}
	case dialectSocketIO, dialectSocketIOPack:
		l.dialect = &socketIODialect{packed: spec.Dialect == dialectSocketIOPack}
	case dialectColyseus:
		l.dialect = &colyseusDialect{}
	default:
		return nil, fmt.Errorf("no dialect is called %q", spec.Dialect)
	}
	var err error
	if l.ep, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if l.bell, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return nil, err
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: -1}
	return l, unix.EpollCtl(l.ep, unix.EPOLL_CTL_ADD, l.bell, &ev)
}

// ring wakes the loop.
func (l *load) ring() { _, _ = unix.Write(l.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

// do carries out a command; dial is answered later, by the loop.
func (l *load) do(c command) (r reply, later bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch c.Do {
	case "dial":
		if err := l.dial(c.Conns); err != nil {
			return reply{Err: err.Error()}, false
		}
		return reply{}, true
	case "play":
		l.play()
	case "halt":
		l.playing = false
	case "mark":
		rep := l.report()
		if c.Reset {
			l.due, l.sent, l.frames, l.messages, l.answers, l.bytes = 0, 0, 0, 0, 0, 0
			l.latency.reset()
			l.late.reset()
		}
		return reply{Load: rep}, false
	case "peek": // without the distributions, which are many bytes
		rep := l.counts()
		return reply{Load: rep}, false
	default:
		return reply{Err: fmt.Sprintf("a load generator does not know %q", c.Do)}, false
	}
	return reply{}, false
}

func (l *load) counts() *loadReport {
	cpu, _ := cpuOf(os.Getpid())
	return &loadReport{
		At: monotonic(), CPU: int64(cpu), Joined: l.joined, Live: l.live, Due: l.due, Sent: l.sent, Frames: l.frames,
		Messages: l.messages, Answers: l.answers, Bytes: l.bytes, Closed: maps.Clone(l.closed),
	}
}

func (l *load) report() *loadReport {
	r := l.counts()
	r.Latency, r.Late = l.latency.bytes(), l.late.bytes()
	return r
}

// play begins to send.
func (l *load) play() {
	l.playing = true
	l.now = monotonic()
	switch l.spec.Style {
	case stylePaced, styleListen:
		l.pacer = newPacer(len(l.conns), l.spec)
		l.pacer.begin(l.now)
		if l.spec.Style == styleListen {
			l.speakUp()
		}
	case styleTurns:
		for i := range l.conns {
			l.sendInput(&l.conns[i], l.now)
		}
	}
	l.ring()
}

// loadChild is the life of a load process.
func loadChild(in io.Reader, out io.Writer) error {
	p := newPipe(in, out)
	var spec loadSpec
	if err := p.receive(&spec); err != nil {
		return err
	}
	l, err := newLoad(spec)
	if err != nil {
		return p.send(reply{Err: err.Error()})
	}
	if err := p.send(reply{}); err != nil {
		return err
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	dialed := make(chan reply, 16)
	go func() {
		defer close(ended)
		runtime.LockOSThread()
		l.loop(stop, dialed)
	}()
	for {
		var c command
		if p.receive(&c) != nil { // the conductor is done, or gone
			close(stop)
			l.ring()
			<-ended
			l.hangUp()
			l.close()
			return nil
		}
		r, later := l.do(c)
		for later {
			r = l.awaitDial(dialed)
			later = r.Progress != nil
			if later {
				if err := p.send(r); err != nil {
					return err
				}
			}
		}
		if err := p.send(r); err != nil {
			return err
		}
	}
}

// awaitDial says how far dialling is, ten times a second, until it is over.
func (l *load) awaitDial(dialed chan reply) reply {
	select {
	case r := <-dialed:
		return r
	case <-time.After(100 * time.Millisecond):
		l.mu.Lock()
		defer l.mu.Unlock()
		n := l.joined
		return reply{Progress: &n}
	}
}

// hangUp ends all connections at once: a reset leaves no port in TIME_WAIT, so that the next run can have it.
func (l *load) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.conns {
		if c := &l.conns[i]; c.phase != closedPhase && c.fd > 0 {
			_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
			_ = unix.Close(c.fd)
		}
	}
}

// close gives the loop's files back.
func (l *load) close() {
	_ = unix.Close(l.ep)
	_ = unix.Close(l.bell)
}
