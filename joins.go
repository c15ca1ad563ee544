package volley

import (
	"time"

	"github.com/volley-go/volley/codec"
)

// errHastyJoin refuses a JOIN beyond Config.JoinsPerSecond. It is shared and never changed.
var errHastyJoin = &codec.Error{Code: codec.RateLimited, Reason: "too many joins a second"}

// sayEvery is how often a line that a flood would repeat is logged at the most.
const sayEvery = 10 * time.Second

// tookJoin takes a token of the connection's bucket of JOINs at the scheduler's time now. As in netio, the bucket is one number:
// the time at which the connection will have paid for all of them.
func (s *session) tookJoin(now time.Duration) bool {
	perSecond := s.srv.cfg.JoinsPerSecond
	if perSecond < 0 {
		return true
	}
	cost := time.Second / time.Duration(perSecond)
	burst := time.Duration(max(2*perSecond, 2*s.srv.cfg.RoomsPerConn)) * cost
	paid := max(s.joinsPaid, now) + cost
	if paid-now > burst {
		s.srv.refuseJoin(s, now)
		return false
	}
	s.joinsPaid = paid
	return true
}

// refuseJoin counts and logs a JOIN that came too soon.
func (s *Server) refuseJoin(by *session, now time.Duration) {
	last := s.joinsSaid.Load()
	if n := s.hastyJoins.Add(1); n > 1 && now-time.Duration(last) < sayEvery || !s.joinsSaid.CompareAndSwap(last, int64(now)) {
		return
	}
	s.cfg.Logger.Warn("volley: a connection joins too fast; its joins are refused", "limit", "JoinsPerSecond",
		"remote", by.conn.RemoteAddr())
}
