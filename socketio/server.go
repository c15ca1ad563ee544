package socketio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/netio"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// Server is a Socket.IO server: an http.Handler for Config.Path, and its main namespace, "/". Its methods may be called from any
// goroutine.
type Server struct {
	*Namespace

	// Static after construction.
	cfg      Config
	packets  packetLimits
	origin   func(r *http.Request) bool
	sched    *tick.Scheduler
	host     *room.Host // of the namespaces that are not mounted kinds
	kind     *room.Kind[*hub]
	hubs     hubs
	events   events
	engine   *netio.Engine
	failed   error // why there is no engine
	sessions sessions
	away     recovery
	cache    encodings
	done     chan struct{} // closed by Close
	sweeper  sync.WaitGroup

	counts counts

	mu         sync.Mutex
	namespaces map[string]*Namespace // guarded by mu
	mounts     map[string]mount      // guarded by mu
	dynamic    []dynamic             // guarded by mu
	closing    bool                  // guarded by mu
}

// mount is a namespace that is a kind of room.
type mount struct {
	host *room.Host
	kind string
}

// dynamic makes namespaces as clients ask for them.
type dynamic struct {
	match func(name string, h *Handshake) bool
	setup func(ns *Namespace)
}

// maxDynamic bounds how many namespaces clients can have made.
const maxDynamic = 10_000

// New makes a server. Its pollers and workers run at once; end them by Close.
func New(cfg Config) *Server {
	cfg = cfg.withDefaults()
	s := &Server{
		cfg: cfg, packets: cfg.limits(), done: make(chan struct{}),
		namespaces: map[string]*Namespace{}, mounts: map[string]mount{},
	}
	s.sessions.init(&s.cfg)
	s.away.limit = cfg.MaxAway
	s.sched = tick.New(tick.Config{Workers: cfg.Workers, Logger: cfg.Logger, Grace: time.Millisecond})
	s.kind = defineHub(s)
	s.host = room.NewHost(room.HostConfig{Scheduler: s.sched, Logger: cfg.Logger, MaxRooms: maxDynamic + 1000}, s.kind)
	s.events = eventsOf(s.host.Names())
	s.origin, s.failed = originOf(&s.cfg)
	if s.failed == nil {
		s.engine, s.failed = netio.New(netio.Config{
			Foreign:           &netio.Foreign{},
			Pollers:           cfg.Pollers,
			MaxMessage:        cfg.MaxPayload,
			MaxBacklog:        cfg.MaxBacklog,
			PingInterval:      -1, // sessions are pinged, whatever they travel on
			MessagesPerSecond: cfg.MessagesPerSecond,
			BytesPerSecond:    cfg.BytesPerSecond,
			BytesBurst:        cfg.bytesBurst(),
			MaxConns:          -1, // sessions are counted
			ConnsPerAddress:   -1,
			CheckOrigin:       s.origin,
			OnPoll:            func() { s.sched.RunDue(s.sched.Now()) },
			DrainSpread:       -1,
			Logger:            cfg.Logger,

			HandshakesPerSecondPerAddress: -1,
		}, opener{s})
	}
	s.Namespace = s.Of("/")
	s.sweeper.Add(1)
	go s.sweep()
	return s
}

func originOf(cfg *Config) (func(r *http.Request) bool, error) {
	if cfg.CheckOrigin != nil {
		return cfg.CheckOrigin, nil
	}
	return netio.OriginCheck(cfg.AllowOrigins)
}

// Of returns the namespace with that name, which it makes the first time. The name begins with a slash.
func (s *Server) Of(name string) *Namespace {
	if !strings.HasPrefix(name, "/") {
		panic(fmt.Sprintf("socketio: a namespace's name begins with a slash, not as %q", name))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ns := s.namespaces[name]; ns != nil {
		return ns
	}
	if m, ok := s.mounts[name]; ok {
		panic(fmt.Sprintf("socketio: namespace %s is a kind of room, %s", name, m.kind))
	}
	return s.create(name)
}

// create makes a namespace. Under mu.
func (s *Server) create(name string) *Namespace {
	ns := newNamespace(s, name)
	s.namespaces[name] = ns
	return ns
}

// OfFunc makes namespaces as clients ask for them: a name that match accepts becomes a namespace, which setup prepares before its
// first socket. It stays until the server ends. match is called on the client's goroutine and must not block.
func (s *Server) OfFunc(match func(name string, h *Handshake) bool, setup func(ns *Namespace)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dynamic = append(s.dynamic, dynamic{match, setup})
}

// Mount makes a namespace of a kind of rooms. A client that connects to name joins an open room of the kind, or has one made;
// one that connects to name + "/" + an id joins the room with that id. What it gives as auth are its options. host is usually a
// volley.Server's.
//
// A kind that is mounted as "/" takes the place of the main namespace, where clients go that name none: the Server's own methods
// as a Namespace then reach nobody.
func (s *Server) Mount(name string, host *room.Host, kind string) {
	if !strings.HasPrefix(name, "/") {
		panic(fmt.Sprintf("socketio: kind %s cannot be mounted as %q; write a name that begins with a slash", kind, name))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ns := s.namespaces[name]; ns != nil && (name != "/" || ns.used()) {
		panic(fmt.Sprintf("socketio: there is a namespace %s already", name))
	}
	s.mounts[name] = mount{host, kind}
}

// target is what a namespace's name stands for.
type target struct {
	ns   *Namespace // nil: a kind of rooms
	host *room.Host
	join room.JoinRequest
}

// find returns what a client means by a namespace's name; false: nothing.
func (s *Server) find(name string, h *Handshake) (t target, ok bool) {
	s.mu.Lock()
	ns := s.namespaces[name]
	m, mounted := s.mounts[name]
	id := ""
	if mounted {
		ns = nil // it took the place of "/"
	} else if ns == nil {
		i := strings.LastIndexByte(name, '/')
		m, mounted = s.mounts[cmp.Or(name[:i], "/")]
		id = name[i+1:]
	}
	dynamic := s.dynamic
	s.mu.Unlock()
	switch {
	case ns != nil:
		return ns.target(), true
	case mounted && id != "":
		return target{host: m.host, join: room.JoinRequest{How: codec.JoinByID, Name: id}}, true
	case mounted:
		return target{host: m.host, join: room.JoinRequest{How: codec.JoinOrCreate, Name: m.kind}}, true
	}
	for _, d := range dynamic {
		if d.match(name, h) {
			return s.make(name, d)
		}
	}
	return t, false
}

// make makes a namespace that a client has asked for.
func (s *Server) make(name string, d dynamic) (t target, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ns := s.namespaces[name]
	switch {
	case ns != nil:
	case len(s.namespaces) >= maxDynamic || s.closing:
		return t, false
	default:
		ns = newNamespace(s, name)
		d.setup(ns)
		s.namespaces[name] = ns
	}
	return ns.target(), true
}

// ServeHTTP serves the requests of clients: polls, and upgrades to WebSocket.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.failed != nil {
		s.cfg.Logger.Error("socketio: the server could not start", "error", s.failed)
		http.Error(w, "the server could not start", http.StatusServiceUnavailable)
		return
	}
	s.serve(w, r)
}

// serves reports whether a transport is served.
func (s *Server) serves(transport string) bool { return slices.Contains(s.cfg.Transports, transport) }

// Close ends the server: its sockets are told, their connections closed. When ctx ends before all have gone they are cut off.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil
	}
	s.closing = true
	s.mu.Unlock()
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
	}
	err := s.host.Close(ctx, &codec.Error{Code: codec.GoingAway, Reason: "the server shuts down"})
	for _, ses := range s.sessions.all() {
		ses.end(reasonShutdown)
	}
	close(s.done)
	s.sweeper.Wait()
	if s.engine != nil {
		s.engine.BeginDrain(time.Now().Add(time.Second))
		if cut := s.engine.Shutdown(ctx); cut != nil && !errors.Is(cut, netio.ErrCut) {
			err = errors.Join(err, cut)
		}
	}
	s.sched.Close()
	return err
}

// Stats are a Server's counters since New, and its gauges.
type Stats struct {
	Sessions  int // clients now
	WebSocket int // those of them on WebSocket
	Sockets   int // sockets of namespaces and clients of mounted kinds, now
	Away      int // those of them that are waited for

	Opened    uint64 // clients that there have been
	Upgraded  uint64 // moves from polling to WebSocket
	Recovered uint64 // sockets that came back
	Refused   uint64 // sockets that were not let in: connect_error
	Rejected  uint64 // requests that were not served: too many sessions, an origin, a session that is not there
	Malformed uint64 // sessions that ended because of what they sent
	TimedOut  uint64 // sessions that did not answer a ping, or had no namespace in time
	Slow      uint64 // sessions that ended because too much waited for them
	Unheard   uint64 // events without a handler
	Bad       uint64 // events whose arguments did not fit their handler
	Volatile  uint64 // volatile events that were not sent
	Lost      uint64 // events that were emitted faster than a namespace could take them
	Panics    uint64 // callbacks that panicked
}

// counts are the Stats as they grow.
type counts struct {
	webSocket, sockets                                                        atomic.Int64
	opened, upgraded, recovered, refused, rejected, malformed, timedOut, slow atomic.Uint64
	unheard, bad, volatile, lost, panics                                      atomic.Uint64
}

// Stats returns them now.
func (s *Server) Stats() Stats {
	c := &s.counts
	return Stats{
		Sessions: s.sessions.len(), WebSocket: int(c.webSocket.Load()), Sockets: int(c.sockets.Load()), Away: s.away.len(),
		Opened: c.opened.Load(), Upgraded: c.upgraded.Load(), Recovered: c.recovered.Load(), Refused: c.refused.Load(),
		Rejected: c.rejected.Load(), Malformed: c.malformed.Load(), TimedOut: c.timedOut.Load(), Slow: c.slow.Load(),
		Unheard: c.unheard.Load(), Bad: c.bad.Load(), Volatile: c.volatile.Load(), Lost: c.lost.Load(), Panics: c.panics.Load(),
	}
}
