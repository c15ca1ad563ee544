package socketio

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// member is a socket as its session sees it: a client of the room that its namespace is. With recovery it outlives its session.
//
// Locks: member.mu is not held while session.mu is taken.
type member struct {
	// Static after construction.
	srv  *Server
	nsp  string
	id   string // the socket's
	to   target
	auth []byte

	mu       sync.Mutex
	ses      *session // nil: the connection is lost; guarded by mu
	client   *room.Client
	state    memberState // guarded by mu
	seq      uint64      // of the last packet that the room was given; guarded by mu
	since    uint64      // the tick that it joined after; guarded by mu
	pid      string      // by which it can come back; empty: it cannot; guarded by mu
	why      reason      // its end; guarded by mu
	hangUp   bool        // its session is to end with it; guarded by mu
	back     progress    // where a client that comes back is; guarded by mu
	gone     atomic.Bool // it will not come back
	socket   *Socket     // nil: of a mounted kind
	progress progress    // of the room's owner
}

// memberState is how far a member is.
type memberState uint8

const (
	joining  memberState = iota
	live                 // CONNECT has been answered
	resuming             // it is to go on over another session
	over
)

var _ room.Link = (*member)(nil)

// connect answers a CONNECT. Under the session's readMu.
func (s *session) connect(p *packet) error {
	if m, _ := s.member(p.nsp); m != nil {
		return codec.Errorf(codec.UnexpectedFrame, "%s is connected already", codec.CutReason(p.nsp))
	}
	auth := bytes.Clone(p.data)
	shake := s.shake.with(auth)
	to, ok := s.srv.find(p.nsp, shake)
	if !ok {
		s.srv.counts.refused.Add(1)
		s.write(connectError(p.nsp, "Invalid namespace", nil))
		return nil
	}
	if s.srv.cfg.Recovery > 0 && s.comeBack(p.nsp, auth) {
		return nil
	}
	return s.join(p.nsp, to, auth)
}

// join makes a new member. Under the session's readMu, or on behalf of a CONNECT that could not be a return.
func (s *session) join(nsp string, to target, auth []byte) error {
	m := &member{srv: s.srv, nsp: nsp, id: newID(), to: to, auth: auth, ses: s}
	s.mu.Lock()
	crowded := len(s.members) >= s.srv.cfg.MaxNamespaces
	s.mu.Unlock()
	if crowded {
		s.srv.counts.refused.Add(1)
		s.write(connectError(nsp, "too many namespaces", nil))
		return nil
	}
	if !s.place(m) {
		return nil
	}
	if to.ns != nil {
		m.socket = newSocket(to.ns, m, s.shake.with(auth))
		if to.ns.hasMiddleware() {
			go m.ask()
		} else {
			m.enter(nil)
		}
		return nil
	}
	if s.srv.cfg.Auth == nil {
		m.enter(nil)
		return nil
	}
	go func() {
		var user any
		var err error
		if m.srv.protect(m.nsp, func() { user, err = m.srv.cfg.Auth(s.shake.with(auth)) }) {
			err = errFault
		}
		if err != nil {
			m.refuse(err)
			return
		}
		m.enter(user)
	}()
	return nil
}

// ask has the namespace's middleware decide. On a goroutine of its own.
func (m *member) ask() {
	if err := m.to.ns.admit(m.socket); err != nil {
		m.refuse(err)
		return
	}
	m.enter(m)
}

// enter takes the seat.
func (m *member) enter(user any) {
	req := m.to.join
	req.Link, req.User = m, user
	if m.to.ns != nil {
		req.User = m
	} else {
		req.Options = m.auth
	}
	m.mu.Lock() // until the client is in its place: the room may refuse it at once
	if m.ses == nil || m.state == over {
		m.mu.Unlock()
		return
	}
	c, refused := m.to.host.Join(req)
	if refused == nil {
		m.client = c
	}
	m.mu.Unlock()
	if refused != nil {
		m.refuse(&ConnectError{Message: refused.Reason, Data: codeOf(refused)})
	}
}

// codeOf is what connect_error says of a room's refusal.
func codeOf(why *codec.Error) any {
	return map[string]any{"code": uint16(why.Code), "name": why.Code.String()}
}

// refuse answers CONNECT by CONNECT_ERROR.
func (m *member) refuse(err error) {
	m.mu.Lock()
	s := m.ses
	m.ses, m.state = nil, over
	m.mu.Unlock()
	m.srv.counts.refused.Add(1)
	if s != nil {
		s.write(refusalOf(m.nsp, err))
		s.remove(m)
	}
}

// session returns the session that the member is on; nil: none.
func (m *member) session() *session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ses
}

// next returns the client and the number of its next packet; nil: the packet comes too late.
func (m *member) next(s *session) (*room.Client, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.ses != s || m.state == over:
		return nil, 0, nil
	case m.state != live:
		return nil, 0, codec.Errorf(codec.UnexpectedFrame, "a packet for %s before it is connected", codec.CutReason(m.nsp))
	}
	m.seq++
	return m.client, m.seq, nil
}

// event gives an event to the room.
func (m *member) event(s *session, p *packet) error {
	c, seq, err := m.next(s)
	if c == nil {
		return err
	}
	var out codec.Packet
	if m.to.ns != nil {
		out = codec.Packet{Kind: codec.Event, Index: m.srv.events.in, Payload: inEvent(p.id, p.data)}
	} else if out, err = gamePacket(p); err != nil {
		return err
	}
	return c.Receive(seq, 0, []codec.Packet{out})
}

// ack gives an acknowledgement to the room.
func (m *member) ack(s *session, p *packet) error {
	c, seq, err := m.next(s)
	if c == nil {
		return err
	}
	var out codec.Packet
	if m.to.ns != nil {
		out = codec.Packet{Kind: codec.Event, Index: m.srv.events.ack, Payload: inEvent(p.id, p.data)}
	} else if out, err = gameReply(p); err != nil {
		return err
	}
	return c.Receive(seq, 0, []codec.Packet{out})
}

// disconnect is the client's wish to leave the namespace.
func (m *member) disconnect(s *session) {
	m.mu.Lock()
	if m.ses != s {
		m.mu.Unlock()
		return
	}
	m.why, m.ses = reasonClient, nil
	c := m.client
	if c == nil {
		m.state = over
	}
	m.mu.Unlock()
	s.remove(m)
	m.srv.away.remove(m)
	if c != nil {
		c.Leave(nil)
	}
}

// lost says that the session has ended.
func (m *member) lost(s *session, why reason) {
	m.mu.Lock()
	if m.ses != s { // another session has taken over
		m.mu.Unlock()
		return
	}
	m.ses, m.why = nil, why
	c := m.client
	if c == nil {
		m.state = over
	}
	waits := m.state == live && m.pid != "" && why.recoverable() && m.srv.away.lose(m)
	if !waits {
		m.srv.away.remove(m)
	}
	m.mu.Unlock()
	switch {
	case c == nil:
	case waits:
		c.Drop(nil)
	default:
		c.Leave(nil)
	}
}

// drained tells the room that nothing waits for the client any more.
func (m *member) drained() {
	m.mu.Lock()
	c := m.client
	m.mu.Unlock()
	if c != nil {
		c.Drained()
	}
}

// Pending is room.Link's.
func (m *member) Pending() int {
	if s := m.session(); s != nil {
		return s.pending()
	}
	return 0
}

// Joined answers CONNECT.
func (m *member) Joined(_ *room.Client, tick uint64) {
	m.mu.Lock()
	s := m.ses
	m.state, m.since = live, tick
	if m.srv.cfg.Recovery > 0 && (m.to.ns != nil || m.to.host.Grace() > 0) {
		m.pid = newID()
		m.srv.away.add(m)
	}
	m.mu.Unlock()
	m.progress = progress{last: tick}
	m.srv.counts.sockets.Add(1)
	if s != nil {
		s.write(m.connected())
	}
}

// connected is the answer to CONNECT.
func (m *member) connected() *packet {
	b := codec.AppendMap(nil, 1)
	if m.pid != "" {
		b = codec.AppendMap(nil, 2)
		b = codec.AppendStr(codec.AppendStr(b, "pid"), m.pid)
	}
	b = codec.AppendStr(codec.AppendStr(b, "sid"), m.id)
	return &packet{kind: connectPacket, nsp: m.nsp, id: noID, data: b}
}

// Resumed answers a CONNECT that was a return.
func (m *member) Resumed(_ uint32, seq uint64) {
	m.mu.Lock()
	s := m.ses
	m.seq = seq
	if m.state == resuming {
		m.state = live
	}
	asked := m.progress.asked
	m.progress = m.back
	m.progress.asked = asked
	m.mu.Unlock()
	m.srv.counts.recovered.Add(1)
	if s != nil {
		s.write(m.connected())
	}
}

// Resync is room.Link's: Socket.IO has no word for it, but the game tells the client anew.
func (m *member) Resync(uint32, uint64) {}

// Left ends the socket.
func (m *member) Left(_ uint32, why *codec.Error) {
	m.mu.Lock()
	s, was := m.ses, m.state
	m.ses, m.state = nil, over
	hangUp := m.hangUp
	m.mu.Unlock()
	m.srv.away.remove(m)
	if was != joining {
		m.srv.counts.sockets.Add(-1)
	}
	if s == nil {
		return
	}
	switch was {
	case joining:
		m.srv.counts.refused.Add(1)
		s.write(connectError(m.nsp, why.Reason, codeOf(why)))
		s.remove(m)
	case resuming:
		s.remove(m)
		go func() { _ = s.join(m.nsp, m.to, m.auth) }() // not from within a room
	default:
		if m.to.ns == nil {
			s.write(noticePacket(m.nsp, eventLeft, why))
		}
		if why.Code != codec.GoingAway { // after that word clients do not come back by themselves
			s.write(&packet{kind: disconnectPacket, nsp: m.nsp, id: noID})
		}
		s.remove(m)
	}
	if hangUp {
		s.hangUp()
	}
}

// Dropped tells the client of a mounted kind which of its events nobody took.
func (m *member) Dropped(_ uint32, _ uint64, why *codec.Error) {
	m.srv.counts.unheard.Add(1)
	if s := m.session(); s != nil {
		s.write(noticePacket(m.nsp, eventNotice, why))
	}
}

// Fail ends the session.
func (m *member) Fail(why *codec.Error) {
	if s := m.session(); s != nil {
		if why.Code == codec.SlowConsumer {
			m.srv.counts.slow.Add(1)
			s.endWith(reasonSlow, why)
		} else {
			s.fail(why)
		}
	}
}

// leaving notes that the server disconnects the socket.
func (m *member) leaving(hangUp bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.why == "" {
		m.why, m.hangUp = reasonServer, hangUp
	}
}

// reasonFor is why the socket is gone.
func (m *member) reasonFor() reason {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.why != "" {
		return m.why
	}
	return reasonShutdown // its namespace ends
}
