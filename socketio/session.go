package socketio

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/netio"
)

// reason is why a session or a socket ended, in the words of Socket.IO.
type reason string

const (
	reasonClient     reason = "client namespace disconnect"
	reasonServer     reason = "server namespace disconnect"
	reasonShutdown   reason = "server shutting down"
	reasonPing       reason = "ping timeout"
	reasonClose      reason = "transport close"
	reasonTransport  reason = "transport error"
	reasonParse      reason = "parse error"
	reasonNoConnect  reason = "forced server close" // no namespace in time
	reasonSlow       reason = "too slow"
	reasonRoomClosed reason = "room closed" // of a mounted kind
)

// recoverable reports whether a socket that ended for that reason may come back.
func (r reason) recoverable() bool {
	switch r {
	case reasonClient, reasonServer, reasonShutdown, reasonParse:
		return false
	}
	return true
}

// session is a client: an Engine.IO session, whatever it travels on, and the sockets on it.
type session struct {
	// Static after construction.
	srv    *Server
	id     string
	shake  *Handshake
	addr   netip.Addr // that it counts under
	opened int64      // by Server.now

	// Guarded by readMu, which whoever brings packets holds.
	readMu    sync.Mutex
	dec       decoder
	parser    parser
	detected  bool // parser is known
	paidMsgs  int64
	paidBytes int64

	mu      sync.Mutex
	members []*member   // guarded by mu
	past    []string    // namespaces that it was in; guarded by mu
	conn    *netio.Conn // nil: polling; guarded by mu
	probe   *netio.Conn // a WebSocket that it may move to; guarded by mu
	probed  bool        // and that works, so that polls are to end; guarded by mu
	out     []byte      // of polling: the payload that waits; guarded by mu
	poll    chan struct{}
	polling bool   // a GET waits, or writes; guarded by mu
	posting bool   // a POST is read; guarded by mu
	why     reason // it has ended; guarded by mu
	parting bool   // and the client is still to be told, one GET after what waits for it; guarded by mu
	pingAt  int64  // when it is to be pinged; 0: it was; guarded by mu
	until   int64  // when its answer is due, or when what is left of it may go; guarded by mu
}

// newSession makes a session and gives it its place; nil: there are too many, or the server ends.
func (s *Server) newSession(h *Handshake, addr netip.Addr) *session {
	now := s.now()
	ses := &session{srv: s, id: newID(), shake: h, addr: addr, opened: now, pingAt: now + int64(s.cfg.PingInterval)}
	if !s.sessions.add(ses) {
		s.counts.rejected.Add(1)
		return nil
	}
	s.counts.opened.Add(1)
	return ses
}

// newID returns 120 random bits as 20 characters.
func newID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// now is the server's clock, in nanoseconds.
func (s *Server) now() int64 { return int64(s.sched.Now()) }

var (
	errEngine = &codec.Error{Code: codec.Malformed, Reason: "no Engine.IO packet of a client begins like that"}
	errParser = &codec.Error{Code: codec.Malformed, Reason: "a client keeps to one parser"}
	errRate   = &codec.Error{Code: codec.RateLimited, Reason: "too many packets a second"}
)

// packet takes one Engine.IO packet. An error is the session's end. Under readMu.
func (s *session) packet(b []byte, text bool) error {
	if !text {
		return s.binary(b)
	}
	if len(b) == 0 {
		return errEngine
	}
	switch b[0] {
	case '1':
		s.end(reasonClose)
		return nil
	case '3':
		s.ponged()
		return nil
	case '4':
		return s.text(b[1:])
	case 'b': // a client with forceBase64
		raw, err := base64.StdEncoding.AppendDecode(nil, b[1:])
		if err != nil {
			return errBase64
		}
		return s.binary(raw)
	}
	return errEngine
}

// detect notes the parser that a message shows, which has to be the one that others have shown.
func (s *session) detect(p parser) error {
	if s.detected && s.parser != p {
		return errParser
	}
	s.detected = true
	s.mu.Lock() // who sends reads it there
	s.parser = p
	s.mu.Unlock()
	return nil
}

func (s *session) text(b []byte) error {
	if err := s.detect(defaultParser); err != nil {
		return err
	}
	p, ok, err := s.dec.text(b, &s.srv.packets)
	if err != nil || !ok {
		return err
	}
	return s.take(&p)
}

func (s *session) binary(b []byte) error {
	if s.detected && s.parser == defaultParser {
		p, ok, err := s.dec.binary(b, &s.srv.packets)
		if err != nil || !ok {
			return err
		}
		return s.take(&p)
	}
	if err := s.detect(msgpackParser); err != nil {
		return err
	}
	p, err := readPacked(b, &s.srv.packets)
	if err != nil {
		return err
	}
	return s.take(&p)
}

// take takes one Socket.IO packet.
func (s *session) take(p *packet) error {
	if p.kind == connectPacket {
		return s.connect(p)
	}
	m, was := s.member(p.nsp)
	if m == nil {
		if was {
			return nil // it was sent before the client heard of the end
		}
		return codec.Errorf(codec.UnexpectedFrame, "a packet for %s before it is connected", codec.CutReason(p.nsp))
	}
	switch p.kind {
	case eventPacket:
		return m.event(s, p)
	case ackPacket:
		return m.ack(s, p)
	case disconnectPacket:
		m.disconnect(s)
		return nil
	}
	return codec.Errorf(codec.UnexpectedFrame, "a client does not send a packet of type %d", p.kind)
}

// member returns the socket in a namespace, or whether there was one.
func (s *session) member(nsp string) (m *member, was bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.members {
		if m.nsp == nsp {
			return m, true
		}
	}
	for _, name := range s.past {
		was = was || name == nsp
	}
	return nil, was
}

// place gives a member its place in the session; false: the session has ended.
func (s *session) place(m *member) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why != "" {
		return false
	}
	s.members = append(s.members, m)
	return true
}

// remove takes a member out of the session.
func (s *session) remove(m *member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, o := range s.members {
		if o == m {
			s.members = append(s.members[:i:i], s.members[i+1:]...)
			if len(s.past) < s.srv.cfg.MaxNamespaces {
				s.past = append(s.past, strings.Clone(m.nsp))
			}
			return
		}
	}
}

// ponged notes an answer to a ping.
func (s *session) ponged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pingAt == 0 && s.why == "" {
		s.pingAt, s.until = s.srv.now()+int64(s.srv.cfg.PingInterval), 0
	}
}

// swept does what is due. It reports whether the session is done with.
func (s *session) swept(now int64) bool {
	cfg := &s.srv.cfg
	s.mu.Lock()
	switch {
	case s.why != "":
		over := now >= s.until
		s.mu.Unlock()
		return over
	case len(s.members) == 0 && len(s.past) == 0 && now-s.opened > int64(cfg.ConnectTimeout):
		s.mu.Unlock()
		s.srv.counts.timedOut.Add(1)
		s.end(reasonNoConnect)
		return false
	case s.until != 0 && now > s.until:
		s.mu.Unlock()
		s.srv.counts.timedOut.Add(1)
		s.end(reasonPing)
		return false
	case s.pingAt != 0 && now >= s.pingAt:
		// The time runs from when the ping was due, unless the server was too busy to send it anywhere near.
		s.pingAt, s.until = 0, max(s.pingAt, now-int64(cfg.PingTimeout)/4)+int64(cfg.PingTimeout)
		o := outgoing{ws: s.conn != nil}
		o.text([]byte("2"))
		_ = s.transmit(&o) // who does not take it does not answer it
	}
	s.mu.Unlock()
	return false
}

// outgoing is what is about to be sent, in the form of the session's transport.
type outgoing struct {
	ws bool
	b  []byte
	n  int // messages
}

func (o *outgoing) text(b []byte) { o.message(b, true) }

func (o *outgoing) message(b []byte, text bool) {
	if o.n++; o.ws {
		o.b = netio.AppendMessage(o.b, text, b)
		return
	}
	o.b = appendPayload(o.b, b, text)
}

// encode adds a packet. scratch is used, and returned for the next one.
func (o *outgoing) encode(scratch []byte, by parser, p *packet) ([]byte, error) {
	if by == msgpackParser {
		scratch = appendPacked(scratch[:0], p)
		o.message(scratch, false)
		return scratch, nil
	}
	text, attachments, err := appendText(append(scratch[:0], '4'), p)
	if err != nil {
		return scratch, err
	}
	o.text(text)
	for _, a := range attachments {
		o.message(a, false)
	}
	return text, nil
}

var errEnded = errors.New("socketio: the session has ended")

// transmit sends. Under mu. After an error the session is about to end, or has to be ended.
func (s *session) transmit(o *outgoing) error {
	switch {
	case s.why != "":
		return errEnded
	case s.conn != nil:
		return s.conn.SendMessages(o.b, o.n)
	case len(s.out) > 0 && len(s.out)+len(o.b) > s.srv.cfg.MaxBacklog:
		s.srv.counts.slow.Add(1)
		go s.end(reasonSlow) // the caller holds mu, and may be a room
		return errEnded
	}
	if len(s.out) > 0 {
		s.out = append(s.out, separator)
	}
	s.out = append(s.out, o.b...)
	s.wake()
	return nil
}

// wake has the GET that waits look again. Under mu.
func (s *session) wake() {
	if s.poll != nil {
		select {
		case s.poll <- struct{}{}:
		default:
		}
	}
}

// write sends one packet of the server's own.
func (s *session) write(p *packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := outgoing{ws: s.conn != nil}
	if _, err := o.encode(nil, s.parser, p); err == nil {
		_ = s.transmit(&o)
	}
}

// pending returns how many bytes wait for the client.
func (s *session) pending() int {
	s.mu.Lock()
	conn, n := s.conn, len(s.out)
	s.mu.Unlock()
	if conn != nil {
		return conn.Pending()
	}
	return n
}

// drained tells the rooms that nothing waits any more.
func (s *session) drained() {
	s.mu.Lock()
	members := append([]*member(nil), s.members...)
	s.mu.Unlock()
	for _, m := range members {
		m.drained()
	}
}

// fail ends the session because of what came on it.
func (s *session) fail(err error) {
	var e *codec.Error
	if !errors.As(err, &e) {
		e = &codec.Error{Code: codec.Internal}
		s.srv.cfg.Logger.Error("socketio: a session failed", "error", err)
	}
	s.srv.counts.malformed.Add(1)
	s.srv.cfg.Logger.Debug("socketio: a client is cut off", "address", s.shake.Address, "code", e.Code.String(), "reason", e.Reason)
	s.endWith(reasonParse, e)
}

// hangUp ends the session because a socket was disconnected with its connection: the others are told as well, so that their
// client does not come back for them.
func (s *session) hangUp() {
	s.mu.Lock()
	members := slices.Clone(s.members)
	s.mu.Unlock()
	for _, m := range members {
		s.write(&packet{kind: disconnectPacket, nsp: m.nsp, id: noID})
	}
	s.end(reasonServer)
}

// end ends the session for a reason.
func (s *session) end(why reason) {
	e := &codec.Error{Code: codec.Normal, Reason: string(why)}
	switch why {
	case reasonShutdown:
		e.Code = codec.GoingAway
	case reasonPing:
		e.Code = codec.IdleTimeout
	case reasonNoConnect:
		e.Code = codec.HandshakeTimeout
	case reasonSlow:
		e.Code = codec.SlowConsumer
	}
	s.endWith(why, e)
}

func (s *session) endWith(why reason, e *codec.Error) {
	s.mu.Lock()
	if s.why != "" {
		s.mu.Unlock()
		return
	}
	s.why = why
	members, conn, probe := s.members, s.conn, s.probe
	s.members, s.probe = nil, nil
	s.until = s.srv.now()
	if conn == nil && (why == reasonServer || why == reasonShutdown) {
		s.until += int64(lastPoll) // GETs may still fetch what waits, and the end
		s.parting = true
	} else {
		s.out = nil
	}
	s.wake()
	s.mu.Unlock()
	if conn != nil {
		s.srv.counts.webSocket.Add(-1)
		conn.Close(e.Code, e.Reason, 0)
		s.srv.sessions.remove(s)
	}
	if probe != nil {
		probe.Close(e.Code, e.Reason, 0)
	}
	for _, m := range members {
		m.lost(s, why)
	}
}

// lastPoll is how long the last words for a polling client wait.
const lastPoll = 5 * time.Second
