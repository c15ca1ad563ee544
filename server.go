package volley

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/volley-go/volley/netio"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// Server is a host of rooms with sockets. As a room.Audience it is every client of every room. Its methods may be called
// from any goroutine.
type Server struct {
	*room.Host

	cfg    Config
	sched  *tick.Scheduler
	engine *netio.Engine
	failed error  // why there is no engine
	claims []bool // which pollers have claimed their shards; each is its poller's own

	sessions *sessions // nil: none can be resumed

	hastyJoins atomic.Uint64
	joinsSaid  atomic.Int64 // when a hasty join was last logged, by the scheduler's clock

	mu     sync.Mutex
	web    net.Listener  // guarded by mu
	tcp    net.Listener  // guarded by mu
	closed bool          // guarded by mu
	done   chan struct{} // closed when Close has finished
}

// New makes a server of the kinds, which from then on take no more handlers. Its pollers and workers run at once; end them by
// Close, or by the end of Run. It panics on kinds that cannot live together, as room.NewHost does.
func New(cfg Config, kinds ...room.AnyKind) *Server {
	cfg = cfg.withDefaults()
	s := &Server{cfg: cfg, done: make(chan struct{}), claims: make([]bool, cfg.Pollers)}
	ticks := tick.Config{Workers: cfg.Workers, Logger: cfg.Logger, Gather: cfg.Gather, Alarm: newAlarm}
	var onPoll func()
	var onRound func(poller int, again bool) time.Duration
	if !cfg.TickOnWorkers {
		ticks.Grace = time.Millisecond
		onPoll = func() { s.sched.RunDue(s.sched.Now()) }
		if cfg.Gather > 0 {
			onRound = s.round
		}
	}
	s.sched = tick.New(ticks)
	s.Host = room.NewHost(room.HostConfig{
		Scheduler: s.sched, Logger: cfg.Logger, MaxRooms: cfg.MaxRooms, Requests: cfg.Requests,
	}, kinds...)
	if grace := s.Grace(); grace > 0 {
		s.sessions = newSessions(grace, cfg.MaxAway)
	}
	s.engine, s.failed = netio.New(netio.Config{
		Pollers:           cfg.Pollers,
		MaxMessage:        cfg.Limits.Frame,
		MaxBacklog:        cfg.MaxBacklog,
		HandshakeTimeout:  cfg.HandshakeTimeout,
		PingInterval:      cfg.PingInterval,
		MessagesPerSecond: cfg.MessagesPerSecond,
		BytesPerSecond:    cfg.BytesPerSecond,
		MaxConns:          cfg.MaxConns,
		MaxBuffered:       cfg.MaxBuffered,
		ConnsPerAddress:   cfg.ConnsPerAddress,
		ClientAddr:        cfg.ClientAddr,
		AllowOrigins:      cfg.AllowOrigins,
		CheckOrigin:       cfg.CheckOrigin,
		DrainSpread:       cfg.DrainSpread,
		DrainTo:           cfg.DrainTo,

		HandshakesPerSecondPerAddress: cfg.HandshakesPerSecondPerAddress,
		OpenOnPoller:                  cfg.Auth == nil,
		OnPoll:                        onPoll,
		OnRound:                       onRound,
		Logger:                        cfg.Logger,
	}, s.opener())
	return s
}

// Listen opens the listeners of Config.Addr and Config.TCPAddr, so that the addresses are known before Run. Run calls it if
// nobody has.
func (s *Server) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("volley: the server is closed")
	}
	for _, l := range []struct {
		addr string
		to   *net.Listener
	}{{s.cfg.Addr, &s.web}, {s.cfg.TCPAddr, &s.tcp}} {
		if l.addr == "" || *l.to != nil {
			continue
		}
		ln, err := s.cfg.Listen("tcp", l.addr)
		if err != nil {
			if errors.Is(err, syscall.EADDRINUSE) {
				return fmt.Errorf("volley: %w; choose another address, or end what uses this one", err)
			}
			return fmt.Errorf("volley: %w; an address is host:port or :port", err)
		}
		*l.to = ln
	}
	return nil
}

// Addr returns where the server listens for WebSocket connections and pages, nil before Listen or without Config.Addr.
func (s *Server) Addr() net.Addr { return s.addrOf(&s.web) }

// TCPAddr returns where the server listens for TCP connections, nil before Listen or without Config.TCPAddr.
func (s *Server) TCPAddr() net.Addr { return s.addrOf(&s.tcp) }

func (s *Server) addrOf(ln *net.Listener) net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *ln == nil {
		return nil
	}
	return (*ln).Addr()
}

// Run serves until ctx ends and then closes the server, for which it takes up to Config.DrainTimeout. It returns nil after a
// clean end, also if the server was closed by Close. Peers that did not take their last bytes in time are logged, and no error.
func (s *Server) Run(ctx context.Context) error {
	if s.failed != nil {
		return s.failed
	}
	if s.cfg.Addr == "" && s.cfg.TCPAddr == "" {
		return errors.New("volley: there is nothing to run: set Config.Addr or Config.TCPAddr, or mount the server and end it by Close")
	}
	if err := s.Listen(); err != nil {
		return err
	}
	ended := make(chan error, 2)
	if s.web != nil {
		go func() { ended <- s.engine.Serve(s.web, s.cfg.TLS, s.cfg.Path, http.HandlerFunc(s.page)) }()
	}
	if s.tcp != nil {
		go func() { ended <- s.engine.ServeTCP(s.tcp, s.cfg.TLS) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case <-s.done:
		return nil
	case err = <-ended: // a listener failed for good, or Close is under way
		s.mu.Lock()
		if s.closed {
			err = nil
		}
		s.mu.Unlock()
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.DrainTimeout)
	defer cancel()
	failed, cut := s.close(drain)
	if cut != nil {
		s.cfg.Logger.Warn("volley: not every connection took its last bytes", "error", cut)
	}
	return errors.Join(err, failed)
}

// page serves what comes to Config.Addr and is no connection.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == s.cfg.Path+".js":
		serveClient(w, r)
	case s.cfg.Pages != nil:
		s.cfg.Pages.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

// ServeHTTP makes the server a handler for a mux of yours. A path that ends in ".js" gets the browser client; anything else is
// taken for a WebSocket upgrade:
//
//	mux.Handle("/volley", srv)
//	mux.Handle("/volley.js", srv)
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, ".js"):
		serveClient(w, r)
	case s.failed != nil:
		http.Error(w, "the server could not start", http.StatusServiceUnavailable)
	default:
		s.engine.ServeHTTP(w, r)
	}
}

// Stats are the counters and gauges of a server.
type Stats struct {
	Net      netio.Stats
	Sessions SessionStats
	Rooms    room.HostStats
	// HastyJoins are JOINs that were refused because of Config.JoinsPerSecond: codec.RateLimited.
	HastyJoins uint64
}

// Stats returns them now.
func (s *Server) Stats() Stats {
	st := Stats{Sessions: s.sessions.stats(), Rooms: s.Host.Stats(), HastyJoins: s.hastyJoins.Load()}
	if s.engine != nil {
		st.Net = s.engine.Stats()
	}
	return st
}
