package volley

import (
	"container/list"
	"errors"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/netio"
	"github.com/volley-go/volley/room"
)

// A session object belongs to one connection. To resume a session is to make a new object, under the same number, and to move
// the memberships to it; the old one's late frames then find no membership. docs/reliability.md has the states in a picture.

// seldom is what few sessions have at a time. Guarded by session.mu.
type seldom struct {
	next *session      // who carries on with this session; nil: nobody
	over bool          // nobody can
	lost *list.Element // its place among the sessions without a connection; nil: it is not one
	left []ending      // why memberships have ended, as far as the client may not have heard; one of a channel at most
}

// ending is the end of the last membership on a channel.
type ending struct {
	channel uint32
	why     *codec.Error
}

// seldom returns s.some, which it makes if need be. Under mu.
func (s *session) seldom() *seldom {
	if s.some == nil {
		s.some = &seldom{}
	}
	return s.some
}

// moved returns who carries on with the session; nil: nobody. Under mu.
func (s *session) moved() *session {
	if s.some == nil {
		return nil
	}
	return s.some.next
}

var errResume = &codec.Error{Code: codec.ResumeFailed,
	Reason: "the token is wrong, was used or has expired; come back as a new session"}

// resume carries on with a session over the connection c.
func (s *Server) resume(c *netio.Conn, want *codec.Resume) (netio.Session, error) {
	for _, p := range want.Channels {
		if int(p.Channel) >= s.cfg.RoomsPerConn {
			return nil, codec.Errorf(codec.BadChannel, "channel %d is not below %d", p.Channel, s.cfg.RoomsPerConn)
		}
	}
	t := s.sessions
	if t == nil {
		return nil, errResume
	}
	sid, turn, ok := t.read(want.Token)
	for ok { // again, if somebody else was faster
		old := t.get(sid)
		if old == nil {
			break
		}
		ses := &session{srv: s, conn: c, user: old.user, sid: sid, turn: turn + 1}
		switch old.handOver(ses, turn, want.Channels) {
		case tokenUsed:
			ok = false
		case handedOver:
			return ses, nil
		}
	}
	t.refused.Add(1)
	return nil, errResume
}

// handover is what came of one.
type handover uint8

const (
	handedOver handover = iota
	tokenUsed           // the token is not the session's last one
	tooLate             // the session is not in the table any more
)

// handOver moves the memberships to ses, for a token of that turn, and answers for each of the client's channels. ses is nobody
// else's until it returns; it stays locked so that no room's word overtakes WELCOME.
func (s *session) handOver(ses *session, turn uint32, channels []codec.Processed) handover {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	t := s.srv.sessions
	s.mu.Lock()
	valid := turn == s.turn || turn+1 == s.turn && !s.conn.Spoke()
	switch {
	case s.moved() != nil || s.some != nil && s.some.over:
		s.mu.Unlock()
		return tooLate
	case !valid:
		s.mu.Unlock()
		return tokenUsed
	case !t.swap(s.sid, s, ses):
		s.mu.Unlock()
		return tooLate
	}
	some := s.seldom()
	some.next = ses
	lived := some.lost == nil
	if !lived {
		t.find(some.lost)
		some.lost = nil
	}
	moved := s.moveTo(ses, channels)
	rest := s.here()
	s.mu.Unlock()

	t.resumed.Add(1)
	if lived {
		t.takenOver.Add(1)
		s.conn.Close(codec.Replaced, "another connection has taken over this session", 0)
	}
	_ = ses.welcome(true) // if the connection is gone, Closed will say so
	for i, p := range channels {
		if c := moved[i]; c != nil {
			c.Resume(ses, p)
		} else {
			why := ses.ending(p)
			_ = ses.say(func(b []byte) []byte { return codec.AppendLeft(b, p.Channel, why.Code, why.Reason) })
		}
	}
	for _, c := range rest {
		c.Leave(nil) // the client does not know of it, so it is not to hear of it: s keeps it
	}
	return handedOver
}

// moveTo moves the memberships on those channels, and what is remembered of earlier ones, and returns the memberships in the
// order of the channels. Under both mu.
func (s *session) moveTo(ses *session, channels []codec.Processed) []*room.Client {
	moved := make([]*room.Client, len(channels))
	for i, p := range channels {
		if int(p.Channel) < len(s.clients) && s.clients[p.Channel] != nil {
			moved[i] = s.clients[p.Channel]
			s.clients[p.Channel] = nil
			ses.place(p.Channel, moved[i])
		}
	}
	if len(s.some.left) > 0 {
		ses.seldom().left, s.some.left = s.some.left, nil
	}
	return moved
}

// ending is why there is no membership on a channel on which the client believes there is one. Under mu.
func (s *session) ending(p codec.Processed) *codec.Error {
	if p.Joining {
		return &codec.Error{Code: codec.ResumeFailed, Reason: "the JOIN did not arrive; send it again"}
	}
	if s.some != nil {
		for _, e := range s.some.left {
			if e.channel == p.Channel {
				return e.why
			}
		}
	}
	return &codec.Error{Code: codec.ResumeFailed, Reason: "there is no such membership"}
}

// remember notes why the membership on a channel ended, nil: not any more. Under mu.
func (s *session) remember(channel uint32, why *codec.Error) {
	if s.srv.sessions == nil || why == nil && s.some == nil {
		return
	}
	left := s.seldom().left
	for i := range left {
		if left[i].channel == channel {
			left[i] = left[len(left)-1]
			left = left[:len(left)-1]
			break
		}
	}
	if why != nil {
		left = append(left, ending{channel, why})
	}
	s.some.left = left
}

// keeps reports whether a connection that ended with err may be followed by another one of its session. Not if it was meant to
// end: by the client, or by a code after which clients do not come back to their session.
func keeps(err error) bool {
	var e *codec.Error
	if !errors.As(err, &e) {
		return true // lost
	}
	return e.Code.Reconnect() != codec.Never && e.Code != codec.BadSequence && e.Code != codec.ResumeFailed
}

// Closed takes the client out of its rooms, or has them wait for it.
func (s *session) Closed(err error) {
	why, _ := err.(*codec.Error)
	if !keeps(err) || !s.lose(why) {
		s.end(why)
	}
}

// lose has the session and its rooms wait for the client; false: there is no waiting.
func (s *session) lose(why *codec.Error) bool {
	t := s.srv.sessions
	if t == nil {
		return false
	}
	s.mu.Lock() // throughout: whoever carries on comes before all of it, or after
	defer s.mu.Unlock()
	if s.moved() != nil {
		return true
	}
	e := t.lose(s)
	if e == nil {
		return false
	}
	s.seldom().lost = e
	for _, c := range s.here() {
		c.Drop(why)
	}
	return true
}

// end ends the session for good.
func (s *session) end(why *codec.Error) {
	for _, c := range s.retire() {
		c.Leave(why)
	}
}

// retire sees that nobody can carry on with the session any more, and returns its memberships.
func (s *session) retire() []*room.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.srv.sessions != nil && s.moved() == nil {
		s.seldom().over = true
		s.srv.sessions.swap(s.sid, s, nil)
	}
	return s.here()
}

// expire ends the wait for a client that did not come back in time, and reports whether it has not.
func (s *session) expire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moved() != nil {
		return false
	}
	s.seldom().over, s.some.lost = true, nil
	return true
}

// bye is the client's word that it is done.
func (s *session) bye(r *codec.Reader, n int) error {
	said, err := r.ClientBye(n)
	if err != nil {
		return err
	}
	s.retire() // before its client hears of it, and may come back with its token
	s.conn.Bye(said.Code)
	s.end(nil)
	return nil
}
