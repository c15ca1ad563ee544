package client

import (
	"sync"
	"time"

	"github.com/volley-go/volley/codec"
)

// scratch are buffers in which frames are put together; one is in use for each frame that is being written.
var scratch = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, 1<<10)} }}

type buffer struct{ b []byte }

func putScratch(s *buffer) {
	if cap(s.b) <= keepBuffer {
		scratch.Put(s)
	}
}

// gap is what stands before a VOLLEY's packets in a scratch buffer.
const gap = headroom + codec.MaxPrefix

// writeFrame writes the frame buf[start:]. Under wmu. An error is the client's end, or ErrOffline.
func (c *Client) writeFrame(buf []byte, start int) error {
	return c.writeBytes(buf[c.framing.header(buf, start):])
}

// writeBytes writes b. Under wmu. The deadline is moved in large steps: it is there for a server that has stopped reading.
func (c *Client) writeBytes(b []byte) error {
	if c.down {
		if e := c.ended(); e != nil {
			return e
		}
		return ErrOffline
	}
	now := time.Now()
	if c.writeBy.Sub(now) < c.cfg.WriteTimeout {
		c.writeBy = now.Add(2 * c.cfg.WriteTimeout)
		_ = c.conn.SetWriteDeadline(c.writeBy)
	}
	if c.closed.Load() { // looked at after the deadline was set: see farewell
		return c.Err()
	}
	if _, err := c.conn.Write(b); err != nil {
		return c.broken(lost(err))
	}
	return nil
}

// writeControl writes a frame that is not of a room.
func (c *Client) writeControl(frame func(b []byte) []byte) error {
	s := scratch.Get().(*buffer)
	defer putScratch(s)
	s.b = frame(s.b[:headroom])
	c.wmu.Lock()
	defer c.wmu.Unlock()
	return c.writeFrame(s.b, headroom)
}

// writeRaw writes bytes that have their header.
func (c *Client) writeRaw(b []byte) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	return c.writeBytes(b)
}

// flush writes the packets of r that were not sent, in as many frames as it takes, and behind them LEAVE, if it is due. ack: a
// frame is to be written even if there are none, to acknowledge. Every VOLLEY acknowledges. While the connection is lost, or the
// server has not said how the room goes on, everything waits, and there is no error.
func (r *Room) flush(ack bool) error {
	c := r.client
	s := scratch.Get().(*buffer)
	defer putScratch(s)
	c.wmu.Lock()
	defer c.wmu.Unlock()
	for {
		r.mu.Lock()
		if r.link != live || c.down {
			err := r.waitingLocked()
			r.mu.Unlock()
			return err
		}
		packets, count, seq := r.outbox.take(c.welcome.Load().Limits)
		if count == 0 && (!ack || r.state == leaving) {
			leave := r.state == leaving
			if leave {
				r.link = mute
			}
			r.mu.Unlock()
			if !leave {
				return nil
			}
			s.b = codec.AppendLeave(s.b[:headroom], r.channel)
			return waits(c.writeFrame(s.b, headroom))
		}
		ack = false
		s.b = append(s.b[:gap], packets...)
		r.told, r.ackDue = r.tick, time.Time{}
		tick := r.tick
		r.mu.Unlock()
		start := codec.PutVolley(s.b, gap, r.channel, seq, tick, count)
		if err := c.writeFrame(s.b, start); err != nil {
			return waits(err)
		}
	}
}

// waits makes ErrOffline no error: what could not be written is kept.
func waits(err error) error {
	if err == ErrOffline { //nolint:errorlint // our own, as it is
		return nil
	}
	return err
}

// waitingLocked is the error of what cannot be sent now: none, if it waits. Under mu.
func (r *Room) waitingLocked() error {
	if r.state == joined && !r.client.closed.Load() {
		return nil
	}
	return r.goneLocked()
}
