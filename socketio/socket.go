package socketio

import (
	"maps"
	"slices"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// Socket is a client's presence in a namespace. Its methods may be called from any goroutine.
type Socket struct {
	// Data is the application's own. It belongs in the namespace's callbacks. It survives recovery.
	Data any

	// Static after construction.
	ns    *Namespace
	m     *member
	shake *Handshake

	// Owned by the room's owner.
	client    *room.Client
	recovered bool

	// Guarded by the namespace's mu.
	connected bool
	handlers  handlers
	rooms     map[string]struct{} // its own id not included
}

func newSocket(ns *Namespace, m *member, shake *Handshake) *Socket {
	return &Socket{ns: ns, m: m, shake: shake}
}

// ID returns the socket's id, which its client knows as well. It is no secret.
func (s *Socket) ID() string { return s.m.id }

// Namespace returns the socket's namespace.
func (s *Socket) Namespace() *Namespace { return s.ns }

// Handshake returns how the client came.
func (s *Socket) Handshake() *Handshake { return s.shake }

// Recovered reports whether the socket has come back after its connection was lost. For callbacks.
func (s *Socket) Recovered() bool { return s.recovered }

// Connected reports whether the socket is connected.
func (s *Socket) Connected() bool {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	return s.connected
}

// Transport returns what the client travels on, "polling" or "websocket"; empty: its connection is lost.
func (s *Socket) Transport() string {
	ses := s.m.session()
	if ses == nil {
		return ""
	}
	ses.mu.Lock()
	defer ses.mu.Unlock()
	if ses.conn != nil {
		return "websocket"
	}
	return "polling"
}

// On adds a handler for an event of this socket.
func (s *Socket) On(event string, fn func(m *Message)) {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	s.handlers.on(event, fn)
}

// OnAny adds a handler for all events of this socket.
func (s *Socket) OnAny(fn func(m *Message)) {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	s.handlers.any = append(s.handlers.any, fn)
}

// OnDisconnecting adds a callback for when the socket is about to go, while it is still in its rooms.
func (s *Socket) OnDisconnecting(fn func(reason string)) {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	s.handlers.leaving = append(s.handlers.leaving, func(_ *Socket, reason string) { fn(reason) })
}

// OnDisconnect adds a callback for when the socket has gone. See Namespace.OnDisconnect.
func (s *Socket) OnDisconnect(fn func(reason string)) {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	s.handlers.left = append(s.handlers.left, func(_ *Socket, reason string) { fn(reason) })
}

// self is the audience of this socket alone.
func (s *Socket) self() *Broadcast { return &Broadcast{ns: s.ns, one: s} }

// Emit sends an event to the socket. It panics as Namespace.Emit does.
func (s *Socket) Emit(event string, args ...any) { s.self().Emit(event, args...) }

// Volatile is the audience of this socket, for events that are not sent if it cannot take them at once.
func (s *Socket) Volatile() *Broadcast { return s.self().Volatile() }

// Ask sends an event to the socket and waits for its acknowledgement: done runs among the namespace's callbacks, with the reply,
// or with ErrTimeout or ErrDisconnected.
func (s *Socket) Ask(timeout time.Duration, event string, done func(reply *Reply, err error), args ...any) {
	s.self().Ask(timeout, event, func(replies []*Reply, err error) {
		if err != nil {
			done(nil, err)
		} else {
			done(replies[0], nil)
		}
	}, args...)
}

// Broadcast is the audience of all sockets of the namespace but this one.
func (s *Socket) Broadcast() *Broadcast { return &Broadcast{ns: s.ns, but: s} }

// To is the audience of the sockets in any of the rooms, but this one.
func (s *Socket) To(rooms ...string) *Broadcast { return s.Broadcast().To(rooms...) }

// In is To.
func (s *Socket) In(rooms ...string) *Broadcast { return s.To(rooms...) }

// Except is the audience of all sockets but those in the rooms, and this one.
func (s *Socket) Except(rooms ...string) *Broadcast { return s.Broadcast().Except(rooms...) }

// Join puts the socket into rooms.
func (s *Socket) Join(rooms ...string) {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	s.join(rooms)
}

// join is Join. Under the namespace's mu.
func (s *Socket) join(rooms []string) {
	if s.m.gone.Load() {
		return
	}
	for _, name := range rooms {
		if name == s.m.id {
			continue // it is always there
		}
		if s.rooms == nil {
			s.rooms = map[string]struct{}{}
		}
		s.rooms[name] = struct{}{}
		in := s.ns.rooms[name]
		if in == nil {
			in = map[*Socket]struct{}{}
			s.ns.rooms[name] = in
		}
		in[s] = struct{}{}
	}
}

// Leave takes the socket out of rooms.
func (s *Socket) Leave(rooms ...string) {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	s.leave(rooms)
}

func (s *Socket) leave(rooms []string) {
	for _, name := range rooms {
		delete(s.rooms, name)
		if in := s.ns.rooms[name]; in != nil {
			if delete(in, s); len(in) == 0 {
				delete(s.ns.rooms, name)
			}
		}
	}
}

// Rooms returns the rooms that the socket is in, its own id first and the others in order.
func (s *Socket) Rooms() []string {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	return append([]string{s.m.id}, slices.Sorted(maps.Keys(s.rooms))...)
}

// Disconnect disconnects the socket, once what was emitted to it before has been sent; if hangUp, with its connection, and so
// with the client's sockets of other namespaces.
func (s *Socket) Disconnect(hangUp bool) { s.self().Disconnect(hangUp) }

// connect makes a socket one of the namespace, and tells the application. On the room's owner.
func (ns *Namespace) connect(s *Socket) {
	ns.mu.Lock()
	s.connected = true
	ns.sockets[s.m.id] = s
	list := slices.Clone(ns.onConnect)
	ns.mu.Unlock()
	ns.run(func() {
		for _, fn := range list {
			ns.srv.protect(ns.name, func() { fn(s) })
		}
	})
}

// disconnect tells the application that a socket has gone, if it does not know. On the room's owner.
func (ns *Namespace) disconnect(s *Socket, why reason) {
	ns.mu.Lock()
	if !s.connected {
		ns.mu.Unlock()
		return
	}
	leaving := slices.Concat(ns.handlers.leaving, s.handlers.leaving)
	left := slices.Concat(ns.handlers.left, s.handlers.left)
	ns.mu.Unlock()
	ns.run(func() {
		for _, fn := range leaving {
			ns.srv.protect(ns.name, func() { fn(s, string(why)) })
		}
		ns.mu.Lock()
		s.connected = false
		delete(ns.sockets, s.m.id)
		ns.mu.Unlock()
		for _, fn := range left {
			ns.srv.protect(ns.name, func() { fn(s, string(why)) })
		}
		ns.mu.Lock()
		s.handlers = handlers{} // OnConnect adds them anew if it comes back
		ns.mu.Unlock()
		ns.disconnected(s)
	})
}

// forget takes a socket that will not come back out of its rooms.
func (ns *Namespace) forget(s *Socket) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	s.m.gone.Store(true)
	s.leave(slices.Collect(maps.Keys(s.rooms)))
}

// event gives an event to its handlers. On the room's owner.
func (ns *Namespace) event(s *Socket, id int64, data []byte) {
	name, args := eventOf(data)
	m := &Message{Socket: s, Event: name, args: args, id: id}
	ns.mu.Lock()
	list := slices.Concat(ns.handlers.any, s.handlers.any, ns.handlers.byEvent[name], s.handlers.byEvent[name])
	ns.mu.Unlock()
	if len(list) == 0 {
		ns.srv.counts.unheard.Add(1)
		ns.srv.cfg.Logger.Debug("socketio: nobody listens to an event", "namespace", ns.name, "event", codec.CutReason(name))
		return
	}
	ns.run(func() {
		for _, fn := range list {
			ns.srv.protect(ns.name, func() { fn(m) })
		}
	})
}
