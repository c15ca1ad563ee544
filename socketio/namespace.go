package socketio

import (
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// Namespace is a space of sockets and their rooms: a client connects to it by its name. Its callbacks run one at a time; its
// methods may be called from any goroutine.
type Namespace struct {
	// Static after construction.
	srv  *Server
	name string
	room *room.Room

	mu         sync.Mutex
	handlers   handlers
	onConnect  []func(s *Socket)
	middleware []func(s *Socket) error
	sockets    map[string]*Socket              // connected, by id; guarded by mu
	rooms      map[string]map[*Socket]struct{} // those that are waited for included; guarded by mu
	outbox     outbox                          // guarded by mu
	asks       map[int64]*ask                  // that wait for acknowledgements; guarded by mu
	lastAsk    int64                           // guarded by mu

	// Owned by the room's owner.
	step uint64 // the tick that sent is about
	sent int    // what the room was given in it
}

// handlers are those for events. Guarded by the namespace's mu.
type handlers struct {
	byEvent map[string][]func(m *Message)
	any     []func(m *Message)
	leaving []func(s *Socket, reason string)
	left    []func(s *Socket, reason string)
}

// Handlers is a *Server, a *Namespace or a *Socket: where handlers of events belong. Those of a namespace are for all of its
// sockets.
type Handlers interface {
	On(event string, fn func(m *Message))
}

var (
	_ Handlers = (*Server)(nil)
	_ Handlers = (*Namespace)(nil)
	_ Handlers = (*Socket)(nil)
)

func newNamespace(s *Server, name string) *Namespace {
	ns := &Namespace{
		srv: s, name: name, sockets: map[string]*Socket{}, rooms: map[string]map[*Socket]struct{}{}, asks: map[int64]*ask{},
	}
	r, err := s.kind.Create(s.hubs.add(ns))
	if err != nil {
		panic(fmt.Sprintf("socketio: namespace %s: %v", name, err)) // the server is closed
	}
	ns.room = r
	return ns
}

// target is how a client gets in.
func (ns *Namespace) target() target {
	return target{ns: ns, host: ns.srv.host, join: room.JoinRequest{How: codec.JoinByID, Name: ns.room.ID()}}
}

// Name returns the namespace's name.
func (ns *Namespace) Name() string { return ns.name }

// OnConnect adds a callback for each new socket, and for each that came back: Socket.Recovered tells them apart. Its own
// handlers, Socket.On, belong here.
func (ns *Namespace) OnConnect(fn func(s *Socket)) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.onConnect = append(ns.onConnect, fn)
}

// OnDisconnecting adds a callback for each socket that is about to go, while it is still in its rooms.
func (ns *Namespace) OnDisconnecting(fn func(s *Socket, reason string)) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.handlers.leaving = append(ns.handlers.leaving, fn)
}

// OnDisconnect adds a callback for each socket that has gone. The reason is one of Socket.IO's: "transport close", "ping
// timeout", "client namespace disconnect", "server namespace disconnect" and so on. With recovery the socket may come back.
func (ns *Namespace) OnDisconnect(fn func(s *Socket, reason string)) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.handlers.left = append(ns.handlers.left, fn)
}

// On adds a handler for an event of any socket of the namespace.
func (ns *Namespace) On(event string, fn func(m *Message)) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.handlers.on(event, fn)
}

// OnAny adds a handler for all events of all sockets. It runs before the others.
func (ns *Namespace) OnAny(fn func(m *Message)) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.handlers.any = append(ns.handlers.any, fn)
}

func (h *handlers) on(event string, fn func(m *Message)) {
	if reserved(event) {
		panic(fmt.Sprintf("socketio: no client sends an event %q; see OnConnect and OnDisconnect", event))
	}
	if h.byEvent == nil {
		h.byEvent = map[string][]func(m *Message){}
	}
	h.byEvent[event] = append(h.byEvent[event], fn)
}

// Use adds a middleware: it decides whether a socket may connect. Its error is what the client hears as connect_error; a
// *ConnectError carries data as well. It runs on a goroutine of its own and may block; those of a namespace run in the order in
// which they were added. It may set Data and add handlers, but the socket is not connected yet and nothing can be emitted to it.
func (ns *Namespace) Use(fn func(s *Socket) error) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.middleware = append(ns.middleware, fn)
}

// hasMiddleware reports whether somebody is to be asked about newcomers.
func (ns *Namespace) hasMiddleware() bool {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	return len(ns.middleware) > 0
}

// used reports whether somebody has added something to the namespace.
func (ns *Namespace) used() bool {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	h := &ns.handlers
	return len(ns.onConnect)+len(ns.middleware)+len(h.byEvent)+len(h.any)+len(h.leaving)+len(h.left) > 0
}

// admit asks the middleware.
func (ns *Namespace) admit(s *Socket) (err error) {
	ns.mu.Lock()
	list := slices.Clone(ns.middleware)
	ns.mu.Unlock()
	for _, fn := range list {
		if ns.srv.protect(ns.name, func() { err = fn(s) }) {
			return errFault
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Sockets returns the sockets that are connected, in no order.
func (ns *Namespace) Sockets() []*Socket {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	return slices.Collect(maps.Values(ns.sockets))
}

// Socket returns the connected socket with that id, or nil.
func (ns *Namespace) Socket(id string) *Socket {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	return ns.sockets[id]
}

// all is the audience of everybody.
func (ns *Namespace) all() *Broadcast { return &Broadcast{ns: ns} }

// To is the audience of the sockets in any of the rooms. A socket's id is a room with that socket alone.
func (ns *Namespace) To(rooms ...string) *Broadcast { return ns.all().To(rooms...) }

// In is To.
func (ns *Namespace) In(rooms ...string) *Broadcast { return ns.To(rooms...) }

// Except is the audience of all sockets but those in the rooms.
func (ns *Namespace) Except(rooms ...string) *Broadcast { return ns.all().Except(rooms...) }

// Volatile is the audience of all sockets, for events that are not sent to who cannot take them at once.
func (ns *Namespace) Volatile() *Broadcast { return ns.all().Volatile() }

// Emit sends an event to all sockets. It panics if an argument cannot be encoded, or if clients keep the event's name for
// themselves.
func (ns *Namespace) Emit(event string, args ...any) { ns.all().Emit(event, args...) }

// Ask sends an event to all sockets and collects their acknowledgements. See Broadcast.Ask.
func (ns *Namespace) Ask(timeout time.Duration, event string, done func(replies []*Reply, err error), args ...any) {
	ns.all().Ask(timeout, event, done, args...)
}

// Disconnect disconnects all sockets; if hangUp, with their connections.
func (ns *Namespace) Disconnect(hangUp bool) { ns.all().Disconnect(hangUp) }

// Post runs fn among the namespace's callbacks. It reports whether the namespace took it: not when too much waits, or at the end.
func (ns *Namespace) Post(fn func()) bool {
	return ns.room.Post(func() { ns.run(func() { ns.srv.protect(ns.name, fn) }) })
}

// protect runs somebody's function and reports whether it panicked. That is no reason to end anything.
func (s *Server) protect(nsp string, fn func()) (panicked bool) {
	defer func() {
		if p := recover(); p != nil {
			panicked = true
			s.counts.panics.Add(1)
			s.cfg.Logger.Error("socketio: a callback panicked", "namespace", nsp, "panic", p, slog.String("stack", string(debug.Stack())))
		}
	}()
	fn()
	return false
}
