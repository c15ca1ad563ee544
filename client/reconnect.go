package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/volley-go/volley/codec"
)

// comeback is what a client needs to come back: the policy's memory, the places, the tokens. Owned by the goroutine that reads.
type comeback struct {
	backoff backoff
	places  places
	since   time.Time // of the last WELCOME
	// token resumes the session; empty: nothing does. old is the one before: it is good until the server has heard from us
	// since it gave the new one, and a second try of ours that it heard late may have brought it back.
	token, old string
}

// welcome takes the token of a WELCOME. A new session's puts an end to the old one's.
func (b *comeback) welcome(token string, resumed bool) {
	b.old = ""
	if resumed {
		b.old = b.token
	}
	b.token = token
}

// refused takes the token that the server refused out of use, and reports whether there is another to try.
func (b *comeback) refused() bool {
	b.token, b.old = b.old, ""
	return b.token != ""
}

// run is the goroutine that reads, through all connections.
func (c *Client) run() {
	defer close(c.done)
	for {
		e := c.serve()
		if e = c.comeBack(e); e != nil {
			c.finish(c.end(e))
			return
		}
	}
}

// serve reads the connection to its end.
func (c *Client) serve() *CloseError {
	c.arm(c.deadAt())
	for {
		p, e := c.next()
		if e == nil {
			e = c.frame(p)
		}
		if e == nil {
			e = c.ended()
		}
		if e != nil {
			return e
		}
	}
}

// comeBack makes a new connection after one that ended with e. It returns why the client ends, if it does instead.
func (c *Client) comeBack(e *CloseError) *CloseError {
	b := &c.back
	lasted := time.Since(b.since)
	for {
		if end := c.ended(); end != nil {
			return end
		}
		var wait time.Duration
		if e.Code != codec.ResumeFailed || !b.refused() {
			var again bool
			if wait, again = b.backoff.next(&c.cfg.Reconnect, e, lasted); !again {
				return e
			}
			lasted = 0
			if c.in.open {
				c.lose(e)
			}
			if b.token == "" || endsSession(e) {
				b.token, b.old = "", ""
				c.renew(e)
			}
		}
		b.places.move(e.Address)
		if e = c.try(e, wait); e == nil {
			return nil
		}
	}
}

// try waits and connects. It returns why that failed, or the client's end. after is why it is necessary.
func (c *Client) try(after *CloseError, wait time.Duration) *CloseError {
	b := &c.back
	s := State{Phase: Reconnecting, Attempt: b.backoff.tries, Delay: wait, Err: after}
	c.setState(s)
	if !c.sleep(wait) {
		return c.ended()
	}
	s.Phase, s.Delay = Connecting, 0
	c.setState(s)
	ctx, cancel := context.WithTimeout(context.Background(), c.cfg.DialTimeout)
	defer cancel()
	c.onEnd(cancel)
	defer c.onEnd(nil)

	resumed, err := c.connect(ctx, b.token)
	if err != nil {
		e := asEnd(err)
		if !e.Remote {
			b.places.missed()
			b.backoff.ghosts = b.backoff.ghosts || b.token != ""
		}
		return e
	}
	if !resumed {
		// A server that knows nothing of tokens has begun a new session without a word.
		c.renew(&CloseError{Code: codec.ResumeFailed, Reason: "the server began a new session", Remote: true})
	}
	c.up()
	c.setState(State{Phase: Connected, Resumed: resumed})
	return nil
}

// sleep waits, and reports whether the client still lives.
func (c *Client) sleep(d time.Duration) bool {
	if d <= 0 {
		return !c.closed.Load()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.ending:
		return false
	}
}

// onEnd makes the client's end call f, at once if it has ended.
func (c *Client) onEnd(f context.CancelFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abort = f
	if f != nil && c.err != nil {
		f()
	}
}

// lose lets go of a connection that ended with e. Nothing is written from then on; what waits goes on waiting, but for pings.
func (c *Client) lose(e *CloseError) {
	c.in.open = false
	c.hangUp(e)
	for _, r := range c.rooms() {
		r.mu.Lock()
		r.link, r.ackDue = cold, time.Time{}
		r.mu.Unlock()
	}
	c.mu.Lock()
	pings := c.pings
	c.pings = nil
	c.mu.Unlock()
	for _, answer := range pings {
		answer <- ErrOffline
	}
}

// hangUp closes the connection. The server's word is answered and ours, if we end the session, is said; but nothing is said
// to a server that is to keep the session: a goodbye would end it.
func (c *Client) hangUp(e *CloseError) {
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	last := e.Cause == nil && (e.Remote || e.Code != codec.IdleTimeout)
	if last {
		_ = conn.SetWriteDeadline(time.Now().Add(grace))
	} else {
		_ = conn.Close()
	}
	c.wmu.Lock() // whoever holds it gets no further
	defer c.wmu.Unlock()
	c.down = true
	if last {
		c.goodbye(e)
		_ = conn.Close()
	}
}

// up opens the connection to everybody, and asks for the rooms that the server does not know of.
func (c *Client) up() {
	c.wmu.Lock()
	c.down = false
	c.wmu.Unlock()
	most := c.welcome.Load().Rooms
	for _, r := range c.rooms() {
		r.mu.Lock()
		sent, unwanted := r.sent, r.abandoned || r.quit
		r.mu.Unlock()
		switch {
		case sent:
		case unwanted:
			c.leftRoom(r, &LeftError{Code: codec.Left})
		case most > 0 && int(r.channel) >= most: // of a server that allows more
			c.leftRoom(r, &LeftError{codec.TooManyRooms, fmt.Sprintf("the server allows %d on a connection", most)})
		default:
			c.sendJoin(r)
		}
	}
}

// broken ends a connection on which writing failed. Under wmu. What the server said before may tell why, so the goroutine that
// reads gets a moment to find it.
func (c *Client) broken(e *CloseError) error {
	if c.cfg.Reconnect.Off {
		return c.end(e)
	}
	c.down = true
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	c.cut, c.cutBy = e, time.Now().Add(grace)
	c.stop.Store(true)
	_ = c.conn.SetReadDeadline(c.cutBy)
	return ErrOffline
}

// stopped is asked before each read when the client has ended or writing has failed: it returns the end, once it is time.
func (c *Client) stopped() *CloseError {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if c.cut == nil {
		return nil // not reached
	}
	if !time.Now().Before(c.cutBy) {
		return c.cut
	}
	_ = c.conn.SetReadDeadline(c.cutBy)
	return nil
}

// asEnd is an error of connecting as an end.
func asEnd(err error) *CloseError {
	var e *CloseError
	if errors.As(err, &e) {
		return e
	}
	return lost(err)
}
