package volley

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/netio"
	"github.com/volley-go/volley/room"
)

// session is one connection that has said HELLO: a client of some rooms. The connection's frames go to its rooms, and the
// rooms' frames to the connection.
type session struct {
	// Static after construction.
	srv  *Server
	conn *netio.Conn
	user any
	sid  uint64 // the same for all connections that carry on with one another
	turn uint32 // of the token that the client was given

	// known is how many names of the event table the client has been told. Written under mu.
	known atomic.Int32

	joinsPaid time.Duration // tookJoin's; of the goroutine that is in Message

	mu      sync.Mutex
	clients []*room.Client // by channel; guarded by mu
	some    *seldom        // guarded by mu; nil: nothing of that
}

var _ room.Link = (*session)(nil)

// opener lets connections in.
type opener struct{ s *Server }

func (s *Server) opener() opener { return opener{s} }

// Open reads HELLO, asks Config.Auth, and answers WELCOME.
func (o opener) Open(c *netio.Conn, req *http.Request, first []byte) (netio.Session, error) {
	s := o.s
	r := codec.NewReader(first, s.cfg.Limits)
	t, n, err := r.Frame()
	if err != nil {
		return nil, err
	}
	if t != codec.FrameHello {
		return nil, codec.Errorf(codec.UnexpectedFrame, "the first frame must be HELLO, not type %d", t)
	}
	hello, err := r.Hello(n)
	if err != nil {
		return nil, err
	}
	if hello.Version != codec.Version {
		return nil, codec.Errorf(codec.UnsupportedVersion, "version %d is not spoken here; speak %d", hello.Version, codec.Version)
	}
	if hello.Resume != nil {
		return s.resume(c, hello.Resume) // the token speaks for the client
	}
	var user any
	if s.cfg.Auth != nil {
		user, err = s.cfg.Auth(&Hello{Request: req, RemoteAddr: c.RemoteAddr(), auth: hello.Auth})
		if err != nil {
			return nil, unauthorized(err)
		}
	}
	ses := &session{srv: s, conn: c, user: user}
	if s.sessions != nil {
		s.sessions.add(ses)
	} else {
		ses.sid = newSessionID()
	}
	if err := ses.welcome(false); err != nil {
		ses.end(nil)
		return nil, err
	}
	return ses, nil
}

func unauthorized(err error) error {
	if e, ok := err.(*codec.Error); ok {
		if e == nil {
			return &codec.Error{Code: codec.Unauthorized}
		}
		return e
	}
	return &codec.Error{Code: codec.Unauthorized, Reason: err.Error()}
}

// welcome answers HELLO: nobody else sends anything yet.
func (s *session) welcome(resumed bool) error {
	token := ""
	if s.srv.sessions != nil {
		token = s.srv.sessions.token(s.sid, s.turn)
	}
	names := s.srv.Names().List()
	s.known.Store(int32(len(names)))
	cfg := &s.srv.cfg
	return s.control(func(b []byte) []byte {
		return codec.AppendWelcome(b, codec.Welcome{
			Version: codec.Version, Session: fmt.Sprintf("%016x", s.sid), Token: token, Resumed: resumed,
			Ping:  max(0, int(cfg.PingInterval.Milliseconds())),
			Names: names, Limits: cfg.Limits, Rooms: cfg.RoomsPerConn, Requests: s.srv.Host.Requests(),
		})
	})
}

func newSessionID() uint64 {
	var id [8]byte
	_, _ = rand.Read(id[:]) // it never fails
	return binary.BigEndian.Uint64(id[:])
}

// packets are places for the packets of one frame, between the frame and the inbox.
var packets = sync.Pool{New: func() any { return &packetList{} }}

type packetList struct{ list []codec.Packet }

// Message takes one frame of the client.
func (s *session) Message(frame []byte) error {
	r := codec.NewReader(frame, s.srv.cfg.Limits)
	t, n, err := r.Frame()
	if err != nil {
		return err
	}
	switch t {
	case codec.FrameVolley:
		return s.volley(&r, n)
	case codec.FrameJoin:
		return s.join(&r, n)
	case codec.FrameLeave:
		return s.leave(&r, n)
	}
	return s.rare(t, &r, n)
}

// rare takes frames that do not come in the normal run of things: netio answers a PING in its usual form.
func (s *session) rare(t codec.FrameType, r *codec.Reader, n int) error {
	switch t {
	case codec.FramePing:
		stamp, err := r.Stamp(n)
		if err != nil {
			return err
		}
		return s.say(func(b []byte) []byte { return codec.AppendPong(b, stamp) })
	case codec.FramePong:
		_, err := r.Stamp(n)
		return err
	case codec.FrameBye:
		return s.bye(r, n)
	}
	return codec.Errorf(codec.UnexpectedFrame, "frame type %d cannot come now", t)
}

func (s *session) volley(r *codec.Reader, n int) error {
	v, err := r.ClientVolley(n)
	if err != nil {
		return err
	}
	p := packets.Get().(*packetList)
	p.list, err = r.Packets(n, p.list[:0])
	if err == nil {
		var c *room.Client
		if c, err = s.client(v.Channel); c != nil && err == nil {
			if c.Room().Rate() > 0 {
				s.conn.CanWait()
			}
			err = c.Receive(v.Seq, v.Tick, p.list)
		}
	}
	clear(p.list)
	packets.Put(p)
	return err
}

// client returns the membership on the channel. nil: there is none, or none any more, which the client may not know yet.
func (s *session) client(channel uint32) (*room.Client, error) {
	if int(channel) >= s.srv.cfg.RoomsPerConn {
		return nil, codec.Errorf(codec.BadChannel, "channel %d is not below %d", channel, s.srv.cfg.RoomsPerConn)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if int(channel) >= len(s.clients) {
		return nil, nil
	}
	return s.clients[channel], nil
}

func (s *session) join(r *codec.Reader, n int) error {
	j, err := r.Join(n)
	if err != nil {
		return err
	}
	c, err := s.client(j.Channel)
	if err != nil {
		return err
	}
	if c != nil {
		return codec.Errorf(codec.BadChannel, "channel %d is in use", j.Channel)
	}
	if !s.tookJoin(s.srv.sched.Now()) {
		return s.say(func(b []byte) []byte { return codec.AppendLeft(b, j.Channel, errHastyJoin.Code, errHastyJoin.Reason) })
	}
	s.mu.Lock() // until the client is in its place: the room may refuse it at once
	if s.moved() != nil {
		s.mu.Unlock()
		return nil // a late frame of a connection that has been replaced: its client will be told that the JOIN did not arrive
	}
	s.remember(j.Channel, nil) // the client has heard of the end, or it would not join again
	c, refused := s.srv.Host.Join(room.JoinRequest{
		How: j.How, Name: j.Name, Options: j.Options, Channel: j.Channel, Link: s, User: s.user,
	})
	if refused == nil {
		s.place(j.Channel, c)
	}
	s.mu.Unlock()
	if refused != nil {
		return s.say(func(b []byte) []byte { return codec.AppendLeft(b, j.Channel, refused.Code, refused.Reason) })
	}
	return nil
}

// place puts a membership on a channel. Under mu.
func (s *session) place(channel uint32, c *room.Client) {
	for len(s.clients) <= int(channel) {
		s.clients = append(s.clients, nil)
	}
	s.clients[channel] = c
}

func (s *session) leave(r *codec.Reader, n int) error {
	channel, err := r.Leave(n)
	if err != nil {
		return err
	}
	c, err := s.client(channel)
	if c != nil && err == nil {
		c.Leave(nil)
	}
	return err
}

// Drained tells the rooms that the connection has no unsent bytes any more.
func (s *session) Drained() {
	for _, c := range s.all() {
		c.Drained()
	}
}

// all returns the memberships at this moment.
func (s *session) all() []*room.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.here()
}

// here returns the memberships. Under mu.
func (s *session) here() (all []*room.Client) {
	for _, c := range s.clients {
		if c != nil {
			all = append(all, c)
		}
	}
	return all
}

// Send sends a room's frame, and before it the names that the client has not been told.
func (s *session) Send(buf []byte, head int) error {
	if int(s.known.Load()) < s.srv.Names().Len() {
		s.announce()
	}
	return s.conn.Send(buf, head)
}

// announce sends the names that the client has not been told. Under mu, so that no room's frame overtakes them.
func (s *session) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	names, known := s.srv.Names().List(), int(s.known.Load())
	if known < len(names) {
		_ = s.say(func(b []byte) []byte { return codec.AppendNames(b, known, names[known:]) })
		s.known.Store(int32(len(names)))
	}
}

// Pending returns how many bytes have not left yet.
func (s *session) Pending() int { return s.conn.Pending() }

// Joined tells the client that it is in.
func (s *session) Joined(c *room.Client, tick uint64) {
	r := c.Room()
	_ = s.say(func(b []byte) []byte {
		return codec.AppendJoined(b, codec.Joined{
			Channel: c.Channel(), Room: r.ID(), Kind: r.Kind(), Client: c.ID(), Tick: tick, Rate: r.Rate(),
			Acks: int(s.srv.cfg.AckInterval.Milliseconds()),
		})
	})
}

// Resumed tells the client that a membership goes on.
func (s *session) Resumed(channel uint32, seq uint64) {
	_ = s.say(func(b []byte) []byte { return codec.AppendResumed(b, channel, seq) })
}

// Resync tells the client that it begins afresh in a room.
func (s *session) Resync(channel uint32, tick uint64) {
	_ = s.say(func(b []byte) []byte { return codec.AppendResync(b, channel, tick) })
}

// Left frees the channel and tells the client why it is out. A room that has not heard yet who carries on with the session may
// say it to the one before. Both under mu: who finds the channel free knows that the client was told.
func (s *session) Left(channel uint32, why *codec.Error) {
	for {
		s.mu.Lock()
		here := int(channel) < len(s.clients) && s.clients[channel] != nil
		next := s.moved()
		if here || next == nil {
			break
		}
		s.mu.Unlock()
		s = next
	}
	defer s.mu.Unlock()
	if int(channel) < len(s.clients) {
		s.clients[channel] = nil
	}
	s.remember(channel, why)
	_ = s.say(func(b []byte) []byte { return codec.AppendLeft(b, channel, why.Code, why.Reason) })
}

// Dropped tells the client which of its packets was dropped.
func (s *session) Dropped(channel uint32, seq uint64, why *codec.Error) {
	_ = s.say(func(b []byte) []byte { return codec.AppendNotice(b, channel, why.Code, why.Reason, seq) })
}

// Fail closes the connection.
func (s *session) Fail(why *codec.Error) { s.conn.Close(why.Code, why.Reason, 0) }

// say sends a frame of its own. A connection that is gone is no error to its caller: Closed tells.
func (s *session) say(frame func(b []byte) []byte) error {
	_ = s.control(frame)
	return nil
}

func (s *session) control(frame func(b []byte) []byte) error {
	return s.conn.Send(frame(make([]byte, netio.Headroom, 160)), netio.Headroom)
}
