package client

import (
	"time"

	"github.com/volley-go/volley/codec"
)

// Close says goodbye and ends the connection, with codec.Normal. What has been emitted is on its way. No event is delivered
// any more. Close returns before the server has answered; receive from Done to wait for it, a second at most. Closing a closed
// client does nothing.
func (c *Client) Close() error {
	_ = c.fail(&CloseError{Code: codec.Normal})
	return nil
}

// fail ends the connection, from any goroutine, if nothing has ended it before. It returns what did.
func (c *Client) fail(e *CloseError) *CloseError {
	first := c.end(e)
	if first == e {
		c.farewell(e)
	}
	return first
}

// end settles why the connection ended, and returns it. From then on everything that waits gives up, nothing is sent but
// farewell, and the goroutine that reads finishes.
func (c *Client) end(e *CloseError) *CloseError {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = e
		c.closed.Store(true)
		close(c.ending)
		_ = c.conn.SetReadDeadline(time.Unix(1, 0)) // under mu: before drain sets its own
	}
	return c.err
}

// grace is how long the ends of a connection may take: to write the last frame, and to hear the server's.
const grace = time.Second

// farewell writes the connection's last frame.
func (c *Client) farewell(e *CloseError) {
	_ = c.conn.SetWriteDeadline(time.Now().Add(grace)) // whoever holds wmu gets no further
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.farewelled {
		return
	}
	c.farewelled = true
	if e.Cause != nil {
		return // nobody is there
	}
	if c.ws {
		_, _ = c.conn.Write(closeFrame(e.Code, e.Reason))
	} else if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	} else {
		_ = c.conn.Close()
	}
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
