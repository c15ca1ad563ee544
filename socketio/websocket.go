package socketio

import (
	"bytes"
	"net/http"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/netio"
)

// opener lets WebSockets in.
type opener struct{ s *Server }

// socketConn is a WebSocket: of a session, or one that a session may move to.
type socketConn struct {
	ses   *session
	conn  *netio.Conn
	probe bool // of the goroutine that is in Message
	timer *time.Timer
}

var (
	errNoSession = &codec.Error{Code: codec.ResumeFailed, Reason: "there is no such session"}
	errMoved     = &codec.Error{Code: codec.UnexpectedFrame, Reason: "the session cannot move to this WebSocket"}
	errCrowd     = &codec.Error{Code: codec.Overloaded, Reason: tooManySessions.Message}
	errUpgrade   = &codec.Error{Code: codec.UnexpectedFrame, Reason: "2probe or 5 is wanted while a session moves"}
)

// Open makes a session for a WebSocket, or has one move to it.
func (o opener) Open(c *netio.Conn, r *http.Request, _ []byte) (netio.Session, error) {
	s := o.s
	if sid := r.URL.Query().Get("sid"); sid != "" {
		return s.openProbe(c, sid)
	}
	ses := s.newSession(handshakeOf(r), s.addressOf(r))
	if ses == nil {
		return nil, errCrowd
	}
	ses.mu.Lock()
	defer ses.mu.Unlock()
	ses.conn = c
	s.counts.webSocket.Add(1)
	out := outgoing{ws: true}
	out.text(s.openPacket(ses))
	_ = ses.transmit(&out) // if the connection is gone, Closed will say so
	return &socketConn{ses: ses, conn: c}, nil
}

// openProbe begins the move of a session that polls.
func (s *Server) openProbe(c *netio.Conn, sid string) (netio.Session, error) {
	ses := s.sessions.get(sid)
	if ses == nil {
		return nil, errNoSession
	}
	ses.mu.Lock()
	defer ses.mu.Unlock()
	if ses.conn != nil || ses.probe != nil || ses.why != "" || ses.poll == nil {
		return nil, errMoved
	}
	ses.probe = c
	w := &socketConn{ses: ses, conn: c, probe: true}
	w.timer = time.AfterFunc(s.cfg.UpgradeTimeout, func() {
		ses.mu.Lock()
		late := ses.probe == c
		ses.mu.Unlock()
		if late {
			c.Close(codec.HandshakeTimeout, "the session did not move in time", 0)
		}
	})
	return w, nil
}

// Message takes one message.
func (w *socketConn) Message(b []byte) error {
	s := w.ses
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if w.probe {
		return w.probing(b)
	}
	if err := s.packet(b, w.conn.Text()); err != nil {
		s.fail(err)
	}
	return nil
}

// probing takes a message of a WebSocket that its session has not moved to.
func (w *socketConn) probing(b []byte) error {
	s := w.ses
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !w.conn.Text():
		return errUpgrade
	case bytes.Equal(b, []byte("2probe")):
		s.probed = true
		s.wake() // the client waits for its poll to end
		return w.conn.SendMessages(netio.AppendMessage(nil, true, []byte("3probe")), 1)
	case !bytes.Equal(b, []byte("5")):
		return errUpgrade
	case s.probe != w.conn || s.why != "":
		return errMoved
	}
	w.timer.Stop()
	w.probe = false
	s.conn, s.probe, s.probed = w.conn, nil, false
	s.wake()
	s.srv.counts.webSocket.Add(1)
	s.srv.counts.upgraded.Add(1)
	return s.flush()
}

// flush sends over the WebSocket what waited for a poll. Under mu.
func (s *session) flush() error {
	if len(s.out) == 0 {
		return nil
	}
	o := outgoing{ws: true}
	err := splitPayload(s.out, 1<<30, func(binary bool, packet []byte) error {
		o.message(packet, !binary)
		return nil
	})
	s.out = nil
	if err == nil {
		err = s.transmit(&o)
	}
	return err
}

// Drained tells the rooms that nothing waits any more.
func (w *socketConn) Drained() { w.ses.drained() }

// Closed ends the session, or its move.
func (w *socketConn) Closed(err error) {
	s := w.ses
	if w.timer != nil {
		w.timer.Stop()
	}
	s.mu.Lock()
	if s.probe == w.conn {
		s.probe, s.probed = nil, false
	}
	own := s.conn == w.conn
	s.mu.Unlock()
	if own {
		s.endWith(closeReason(err), &codec.Error{Code: codec.Normal})
	}
}

// closeReason is what the end of a WebSocket is called.
func closeReason(err error) reason {
	if e, ok := err.(*codec.Error); ok {
		switch e.Code {
		case codec.Normal:
			return reasonClose
		case codec.GoingAway:
			return reasonShutdown
		case codec.SlowConsumer, codec.Overloaded:
			return reasonSlow
		}
		return reasonParse
	}
	return reasonClose
}
