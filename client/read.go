package client

import (
	"errors"
	"io"
	"os"
	"slices"
	"sync"
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
		if c.closed.Load() { // looked at after a deadline was set: see end
			return c.ended()
		}
		n, err := c.conn.Read(in.buf[in.end:cap(in.buf)])
		if n > 0 {
			in.end += n
			in.heard, in.suspect = time.Now(), false
			return nil // an error comes again
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded) && c.welcome.Version != 0 && !c.closed.Load():
			if e := c.wake(); e != nil {
				return e
			}
		case err == io.EOF:
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

func (c *Client) ping() time.Duration { return time.Duration(c.welcome.Ping) * time.Millisecond }

// deadAt is when a server that says nothing has to be taken for dead; zero: never.
func (c *Client) deadAt() time.Time {
	if c.welcome.Ping == 0 {
		return time.Time{}
	}
	return c.in.heard.Add(c.ping() * 5 / 2)
}

// run is the goroutine that reads.
func (c *Client) run() {
	defer close(c.done)
	c.arm(c.deadAt())
	var e *CloseError
	for e == nil {
		var p []byte
		if p, e = c.next(); e == nil {
			e = c.frame(p)
		}
		if e == nil {
			e = c.ended()
		}
	}
	c.finish(c.end(e))
}

// finish is the end of the goroutine that reads.
func (c *Client) finish(e *CloseError) {
	c.farewell(e)
	for _, r := range c.rooms() {
		r.over(e, e.Code, e.Reason)
	}
	c.mu.Lock()
	hooks := c.onClose
	c.onClose, c.told, c.channels = nil, true, nil
	c.mu.Unlock()
	for _, f := range hooks {
		f(e)
	}
	c.drain(e)
	_ = c.conn.Close()
	c.in.buf = nil
}

// drain reads until the server hangs up too. To close a socket with unread bytes is to reset it, and then what was written
// last may never arrive.
func (c *Client) drain(e *CloseError) {
	if e.Cause != nil || e.Code == codec.IdleTimeout && !e.Remote {
		return
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(grace))
	for {
		if _, err := c.conn.Read(c.in.buf[:cap(c.in.buf)]); err != nil {
			return
		}
	}
}

// frame takes one frame of an open connection. What it returns is the connection's end.
func (c *Client) frame(p []byte) *CloseError {
	r := codec.NewReader(p, c.limits)
	t, n, err := r.Frame()
	if err != nil {
		return fault(err)
	}
	switch t {
	case codec.FrameVolley:
		err = c.onVolley(&r, n)
	case codec.FramePing, codec.FramePong:
		err = c.onStamp(t, &r, n)
	case codec.FrameJoined:
		err = c.onJoined(&r, n)
	case codec.FrameNames:
		err = c.onNames(&r, n)
	case codec.FrameLeft, codec.FrameNotice, codec.FrameBye:
		var what codec.Reasoned
		if what, err = r.Reasoned(t, n); err != nil {
			break
		}
		if t == codec.FrameBye {
			return bye(what)
		}
		err = c.onReasoned(t, what)
	default:
		err = codec.Errorf(codec.UnexpectedFrame, "the server sent frame type %d, which cannot come now", t)
	}
	if err != nil {
		return fault(err)
	}
	return nil
}

func bye(what codec.Reasoned) *CloseError {
	return &CloseError{Code: what.Code, Reason: what.Reason, Delay: time.Duration(what.Delay) * time.Millisecond, Remote: true}
}

func (c *Client) onStamp(t codec.FrameType, r *codec.Reader, n int) error {
	stamp, err := r.Stamp(n)
	if err != nil {
		return err
	}
	if t == codec.FramePong {
		c.pong(stamp)
		return nil
	}
	_ = c.writeControl(func(b []byte) []byte { return codec.AppendPong(b, stamp) })
	return nil
}

func (c *Client) onNames(r *codec.Reader, n int) error {
	first, more, err := r.Names(n)
	if err != nil {
		return err
	}
	t, err := c.names.Load().with(first, more)
	if err == nil {
		c.names.Store(t)
	}
	return err
}

func (c *Client) onJoined(rd *codec.Reader, n int) error {
	j, err := rd.Joined(n)
	if err != nil {
		return err
	}
	r := c.room(j.Channel)
	if r == nil {
		return codec.Errorf(codec.BadChannel, "JOINED on channel %d, where no join waits", j.Channel)
	}
	return r.onJoined(j)
}

func (c *Client) onReasoned(t codec.FrameType, what codec.Reasoned) error {
	r := c.room(what.Channel)
	if r == nil {
		return codec.Errorf(codec.BadChannel, "frame type %d on channel %d, which has no room", t, what.Channel)
	}
	if t == codec.FrameNotice {
		return r.onNotice(what)
	}
	c.mu.Lock()
	c.channels[what.Channel] = nil
	c.mu.Unlock()
	r.over(&LeftError{what.Code, what.Reason}, what.Code, what.Reason)
	return nil
}

// packets are places for the packets of one frame.
var packets = sync.Pool{New: func() any { return &packetList{} }}

type packetList struct{ list []codec.Packet }

func (c *Client) onVolley(rd *codec.Reader, n int) error {
	v, err := rd.ServerVolley(n)
	if err != nil {
		return err
	}
	r := c.room(v.Channel)
	if r == nil {
		return codec.Errorf(codec.BadChannel, "a VOLLEY on channel %d, which has no room", v.Channel)
	}
	p := packets.Get().(*packetList)
	if p.list, err = rd.Packets(n, p.list[:0]); err == nil {
		err = r.onVolley(v, p.list)
	}
	clear(p.list)
	if cap(p.list) <= 1<<10 {
		packets.Put(p)
	}
	return err
}

// room returns the room on a channel, or nil.
func (c *Client) room(channel uint32) *Room {
	c.mu.Lock()
	defer c.mu.Unlock()
	if int(channel) >= len(c.channels) {
		return nil
	}
	return c.channels[channel]
}

// rooms returns the rooms of the moment, those that are being joined or left included.
func (c *Client) rooms() []*Room {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.channels), func(r *Room) bool { return r == nil })
}
