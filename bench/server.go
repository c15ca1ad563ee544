//go:build linux

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/socketio"
	"github.com/volley-go/volley/tick"
)

// server is what a server process runs: a volley.Server, or for the workload tick a scheduler alone.
type server struct {
	spec    serverSpec
	games   games
	volley  *volley.Server   // nil: tick
	io      *socketio.Server // nil: the load does not speak Socket.IO
	profile *os.File         // nil: no CPU profile is being taken

	steps, skipped uint64 // when the window began
}

// newServer makes a server that listens.
func newServer(spec serverSpec) (*server, error) {
	s := &server{spec: spec}
	if spec.Workload == "tick" {
		return s, nil
	}
	cfg := volley.Config{
		Pollers: spec.Pollers, Workers: spec.Workers, TickOnWorkers: !spec.TickOnPollers,
		PingInterval: time.Duration(spec.PingMs) * time.Millisecond,
		AckInterval:  time.Duration(spec.AcksMs) * time.Millisecond,
		// Echo asks as fast as it is answered. The limiter counts all the same.
		MessagesPerSecond: 1 << 20, BytesPerSecond: 1 << 30,
		// All load comes from few addresses, and every file that the process may open is for a connection.
		MaxConns: -1, ConnsPerAddress: -1, HandshakesPerSecondPerAddress: -1,
		DrainTimeout: 2 * time.Second,
		Logger:       slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Pages:        http.HandlerFunc(s.page),
	}
	if spec.Transport == "tcp" {
		cfg.TCPAddr = spec.Addr
	} else {
		cfg.Addr = spec.Addr
	}
	if spec.ReusePort {
		cfg.Listen = listenShared
	}
	if spec.TLS {
		cert, err := certificate()
		if err != nil {
			return nil, err
		}
		cfg.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	}
	s.games.seats = spec.Dialect == dialectSocketIO || spec.Dialect == dialectSocketIOPack
	s.volley = volley.New(cfg, s.games.kinds(spec.Rate, spec.Clients)...)
	if s.games.seats {
		s.io = newSocketIO(spec, s.volley.Host, cfg.Logger)
	}
	return s, s.volley.Listen()
}

// newSocketIO lets clients of Socket.IO into the workload's games. It is set up as bench/rivals/node/socketio.mjs is.
func newSocketIO(spec serverSpec, host *room.Host, logger *slog.Logger) *socketio.Server {
	io := socketio.New(socketio.Config{
		Transports: []string{"websocket"}, MaxPayload: 64 << 10,
		Pollers: spec.Pollers, Workers: spec.Workers,
		PingInterval:      time.Duration(spec.PingMs) * time.Millisecond,
		MessagesPerSecond: 1 << 20, BytesPerSecond: 1 << 30,
		MaxSessions: -1, SessionsPerAddress: -1,
		Logger: logger,
	})
	io.Mount("/", host, spec.Workload)
	return io
}

// listenShared opens a port that other processes may open as well; the kernel deals connections out among them.
func listenShared(network, addr string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1, Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if e := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}); e != nil {
			return e
		}
		return err
	}}
	return lc.Listen(context.Background(), network, addr)
}

// certificate makes one that nobody should trust.
func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// addr is where the server listens.
func (s *server) addr() string {
	switch {
	case s.volley == nil:
		return ""
	case s.spec.Transport == "tcp":
		return s.volley.TCPAddr().String()
	default:
		return s.volley.Addr().String()
	}
}

// run serves until ctx ends.
func (s *server) run(ctx context.Context) error {
	if s.volley != nil {
		err := s.volley.Run(ctx)
		if s.io != nil {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			err = errors.Join(err, s.io.Close(last))
		}
		return err
	}
	sched := s.games.schedule(s.spec.Rooms, s.spec.Rate, s.spec.Workers)
	defer sched.Close()
	<-ctx.Done()
	return nil
}

// page serves clients of Socket.IO, and takes commands by HTTP for a bench that runs on another machine.
func (s *server) page(w http.ResponseWriter, r *http.Request) {
	if s.io != nil && r.URL.Path == "/socket.io/" {
		s.io.ServeHTTP(w, r)
		return
	}
	var c command
	if r.URL.Path != controlPath || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<10)).Decode(&c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_ = json.NewEncoder(w).Encode(s.do(c))
}

const controlPath = "/bench"

// do carries out a command.
func (s *server) do(c command) reply {
	switch c.Do {
	case "mark":
		rep := s.report()
		if c.Reset {
			s.games.late.Store(&tick.Histogram{})
			s.steps, s.skipped = s.games.steps.Load(), s.games.skipped.Load()
		}
		if err := s.profiling(c.Reset); err != nil {
			return reply{Err: err.Error()}
		}
		return reply{Server: rep}
	case "allocs":
		return reply{Server: &serverReport{Allocs: allocs()}}
	case "settle": // an idle process gives its garbage back in the end; this is that end
		debug.FreeOSMemory()
		return reply{Server: s.report()}
	case "broadcast":
		s.games.broadcast(c.Burst, c.Window)
		return reply{}
	}
	return reply{Err: fmt.Sprintf("a server does not know %q", c.Do)}
}

// profiling begins the profiles with a window and ends them with the next mark.
func (s *server) profiling(begin bool) error {
	if s.profile != nil {
		pprof.StopCPUProfile()
		err := s.profile.Close()
		s.profile = nil
		if err != nil {
			return err
		}
	}
	if s.spec.Allocs != "" {
		if err := writeAllocs(s.spec.Allocs + map[bool]string{true: ".base"}[begin]); err != nil {
			return err
		}
	}
	if !begin || s.spec.Profile == "" {
		return nil
	}
	f, err := os.Create(s.spec.Profile)
	if err != nil {
		return err
	}
	s.profile = f
	return pprof.StartCPUProfile(f)
}

// writeAllocs writes what has been allocated so far. The profile is as of the last garbage collection, so there is one first.
func writeAllocs(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	runtime.GC()
	err = pprof.Lookup("allocs").WriteTo(f, 0)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// allocs is how many heap objects the process has made. It is asked apart, since a report makes some itself. runtime/metrics
// would be cheaper, but does not see what processors have not handed in yet, thousands of objects.
func allocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// report says what the process knows about itself.
func (s *server) report() *serverReport {
	sample := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(sample)
	cpu, _ := cpuOf(os.Getpid())
	mem, _ := memoryOf(os.Getpid())
	r := &serverReport{
		At: monotonic(), CPU: int64(cpu), RSS: mem.rss, Anonymous: mem.anonymous,
		Heap: int64(sample[0].Value.Uint64()), GCs: uint32(sample[1].Value.Uint64()),
		Steps: s.games.steps.Load() - s.steps, Skipped: s.games.skipped.Load() - s.skipped,
	}
	if late := s.games.late.Load().Snapshot(); late.Count() > 0 {
		for _, p := range shown {
			r.Lateness = append(r.Lateness, percentile{p, float64(late.Quantile(p/100)) / 1e3})
		}
	}
	if s.volley != nil {
		st := s.volley.Stats()
		r.Open, r.Rooms, r.Frames = st.Net.Open, st.Rooms.Rooms, st.Net.MessagesOut
		r.Slow, r.Failed = st.Rooms.Slow, st.Rooms.Failed
	}
	if s.io != nil {
		r.Open = s.io.Stats().Sessions
	}
	return r
}

// serverChild is the life of a server process.
func serverChild(in io.Reader, out io.Writer) error {
	p := newPipe(in, out)
	var spec serverSpec
	if err := p.receive(&spec); err != nil {
		return err
	}
	if spec.Allocs != "" {
		runtime.MemProfileRate = 1
	}
	s, err := newServer(spec)
	if err != nil {
		return p.send(reply{Err: err.Error()})
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	if err := p.send(reply{Addr: s.addr()}); err != nil {
		return err
	}
	for {
		var c command
		if p.receive(&c) != nil { // the conductor is done, or gone
			if s.profile != nil {
				_ = s.profiling(false)
			}
			stop()
			return <-ended
		}
		if err := p.send(s.do(c)); err != nil {
			return err
		}
	}
}
