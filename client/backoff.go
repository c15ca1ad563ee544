package client

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/volley-go/volley/codec"
)

// Reconnect says how a client comes back when its connection is lost. The zero Reconnect comes back by itself, for as long as
// it takes.
type Reconnect struct {
	// Off makes the end of the connection the end of the client: for tests, and for programs that have their own way. false: it
	// comes back.
	Off bool
	// Min is the limit of the wait before the first try. It doubles with each try that follows; the wait is any time below it
	// (full jitter), added to what the server asks for. 0: 500 ms.
	Min time.Duration
	// Max is where that limit ends; the wait stays random there. 0: 30 s.
	Max time.Duration
	// Steady is how long a connection must last so that its loss begins with Min again. 0: 10 s.
	Steady time.Duration
	// Tries is how many tries in a row may fail, or make a connection that does not last for Steady, before the client gives
	// up. 0: no end.
	Tries int
	// NoRejoin says what becomes of a room when the server has given up our seat in it. false: it is joined again, which
	// Room.OnRejoin tells; true: it is over, which Room.OnLeft tells.
	NoRejoin bool
	// Rand returns numbers from 0 to 1, for the waits. It is called by every client that has this Config. nil: math/rand/v2.
	Rand func() float64
}

func (r Reconnect) withDefaults() Reconnect {
	if r.Min <= 0 {
		r.Min = 500 * time.Millisecond
	}
	if r.Max <= 0 {
		r.Max = 30 * time.Second
	}
	if r.Steady <= 0 {
		r.Steady = 10 * time.Second
	}
	if r.Rand == nil {
		r.Rand = rand.Float64
	}
	return r
}

// limit is what the wait before a try is below; the first try is number 1.
func (r *Reconnect) limit(try int) time.Duration {
	limit := r.Min
	for ; try > 1 && limit < r.Max; try-- {
		if limit > r.Max/2 {
			return r.Max
		}
		limit *= 2
	}
	return min(limit, r.Max)
}

// backoff is the policy of coming back: a function of what happened, apart from timers and sockets.
type backoff struct {
	tries   int  // since a connection was steady
	hurried bool // one of them was made at once
	ghosts  bool // one of them may have reached the server without our hearing of it
}

// next decides after an end: whether to try again, and after how long. lasted is how long the server's welcome was ago; 0 if
// there was none.
func (b *backoff) next(cfg *Reconnect, e *CloseError, lasted time.Duration) (wait time.Duration, again bool) {
	if lasted >= cfg.Steady {
		*b = backoff{}
	}
	rule := b.rule(e)
	if cfg.Off || rule == codec.Never || cfg.Tries > 0 && b.tries >= cfg.Tries {
		return 0, false
	}
	b.tries++
	if rule == codec.Anew && !b.hurried {
		b.hurried = true
		return e.Delay, true
	}
	return e.Delay + time.Duration(cfg.Rand()*float64(cfg.limit(b.tries))), true
}

// rule is what an end asks for.
func (b *backoff) rule(e *CloseError) codec.Reconnect {
	var refused *UpgradeError
	if errors.As(e, &refused) {
		return upgradeRule(refused.Status)
	}
	if e.Code == codec.Replaced && b.ghosts {
		return codec.Later // by a try of our own that the server heard late
	}
	return e.Code.Reconnect()
}

// upgradeRule: an HTTP server may be overloaded or restarting; what else it refuses it would refuse again.
func upgradeRule(status int) codec.Reconnect {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return codec.Later
	}
	if status >= 500 {
		return codec.Later
	}
	return codec.Never
}

// endsSession reports whether the server's word is that a new session is due. One that has only not heard from us for long, or
// we from it, may keep our seats: the token is tried.
func endsSession(e *CloseError) bool {
	return e.Code.Reconnect() == codec.Anew && e.Code != codec.IdleTimeout
}
