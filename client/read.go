package client

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/volley-go/volley/codec"
)

// input is what has been read and the reader's view of time. There is no timer and no second goroutine: the read deadline wakes
// the reader when acknowledgements are due, or when the server has been silent for too long.
type input struct {
	buf        []byte
	start, end int // of what has not been taken out of buf

	heard   time.Time // when something came
	armed   time.Time // the read deadline; zero: none is set, or it is long past
	suspect bool      // the server was silent for too long, and gets the last chance
	small   int       // how many times in a row a large buf was emptied of little
	open    bool      // the server has welcomed us on this connection; until then the deadlines are another's
}

const (
	// minBuffer is what an idle client keeps to read into.
	minBuffer = 512
	// patience is how often a larger buffer may be used for little before it is given back.
	patience = 64
)

// next returns the next frame, which is valid until the next call.
func (c *Client) next() ([]byte, *CloseError) {
	in := &c.in
	for {
		if in.start < in.end {
			ev, p, n, err := c.framing.next(in.buf[in.start:in.end])
			if err != nil {
				return nil, fault(err)
			}
			in.start += n
			switch ev {
			case evFrame:
				return p, nil
			case evPing:
				_ = c.writeRaw(control(opPong, p))
			case evClose:
				e, err := parseClose(p)
				if err != nil {
					return nil, fault(err)
				}
				return nil, e
			}
			if ev != evMore {
				continue
			}
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads once.
func (c *Client) fill() *CloseError {
	in := &c.in
	in.makeRoom()
	for {
		if c.stop.Load() { // looked at after a deadline was set: see end and broken
			if e := c.stopped(); e != nil {
				return e
			}
		}
		n, err := c.conn.Read(in.buf[in.end:cap(in.buf)])
		if n > 0 {
			in.end += n
			in.heard, in.suspect = time.Now(), false
			return nil // an error comes again
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded) && c.stop.Load():
		case errors.Is(err, os.ErrDeadlineExceeded) && in.open:
			if e := c.wake(); e != nil {
				return e
			}
		case errors.Is(err, io.EOF):
			return &CloseError{Code: Lost, Reason: "the server hung up without a word", Cause: err}
		default:
			return lost(err)
		}
	}
}

// makeRoom sees to it that something can be read. The buffer grows with what has come, not with what a header promises.
func (in *input) makeRoom() {
	if in.start == in.end {
		if cap(in.buf) > minBuffer && in.end <= cap(in.buf)/4 {
			if in.small++; in.small >= patience {
				in.buf = nil
			}
		} else {
			in.small = 0
		}
		in.start, in.end = 0, 0
		if in.buf == nil {
			in.buf, in.small = make([]byte, minBuffer), 0
		}
		return
	}
	if in.end < cap(in.buf) {
		return
	}
	if in.start == 0 {
		grown := make([]byte, 2*cap(in.buf))
		copy(grown, in.buf)
		in.buf = grown
		return
	}
	in.end = copy(in.buf, in.buf[in.start:in.end])
	in.start = 0
}

// arm makes the reader wake at t, or earlier.
func (c *Client) arm(t time.Time) {
	if !t.IsZero() && (c.in.armed.IsZero() || t.Before(c.in.armed)) {
		c.in.armed = t
		_ = c.conn.SetReadDeadline(t)
	}
}

// wake does what is due, and arms for what comes next.
func (c *Client) wake() *CloseError {
	in := &c.in
	now := time.Now()
	in.armed = time.Time{}
	next := now.Add(time.Hour) // replaces the deadline that has passed
	for _, r := range c.rooms() {
		due := r.ackDueAt()
		if !due.IsZero() && !due.After(now) {
			_ = r.flush(true)
		} else if !due.IsZero() && due.Before(next) {
			next = due
		}
	}
	if dead := c.deadAt(); !dead.IsZero() {
		switch {
		case dead.After(now):
		case in.suspect:
			return &CloseError{Code: codec.IdleTimeout, Reason: "nothing came from the server for two and a half ping intervals"}
		default:
			// What it sent may wait unread, behind a callback that took long or a process that stood still.
			in.suspect = true
			dead = now.Add(min(c.ping()/2, time.Second))
		}
		if dead.Before(next) {
			next = dead
		}
	}
	c.arm(next)
	return nil
}

func (c *Client) ping() time.Duration { return time.Duration(c.welcome.Load().Ping) * time.Millisecond }

// deadAt is when a server that says nothing has to be taken for dead; zero: never.
func (c *Client) deadAt() time.Time {
	ping := c.ping()
	if ping == 0 {
		return time.Time{}
	}
	return c.in.heard.Add(ping * 5 / 2)
}
