package client

import (
	"time"

	"github.com/volley-go/volley/codec"
)

// Close says goodbye and ends the client, with codec.Normal. What has been emitted is on its way, if there is a connection. No
// event is delivered any more. The server ends the memberships at once or, if it did not hear the goodbye since the connection
// is lost, after its grace period. Close returns before the server has answered; receive from Done to wait for it, a second at
// most. Closing a closed client does nothing.
func (c *Client) Close() error {
	_ = c.fail(&CloseError{Code: codec.Normal})
	return nil
}

// fail ends the client, from any goroutine, if nothing has ended it before. It returns what did.
func (c *Client) fail(e *CloseError) *CloseError {
	first := c.end(e)
	if first == e {
		c.farewell(e)
	}
	return first
}

// end settles why the client ended, and returns it. From then on everything that waits gives up, nothing is sent but
// farewell, and the goroutine that reads finishes.
func (c *Client) end(e *CloseError) *CloseError {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = e
		c.closed.Store(true)
		c.stop.Store(true)
		close(c.ending)
		if c.abort != nil {
			c.abort()
		}
		_ = c.conn.SetReadDeadline(time.Unix(1, 0)) // under mu: before drain sets its own
	}
	return c.err
}

// grace is how long the ends of a connection may take: to write the last frame, and to hear the server's.
const grace = time.Second

// farewell writes the client's last frame, if there is a connection.
func (c *Client) farewell(e *CloseError) {
	_ = c.connection().SetWriteDeadline(time.Now().Add(grace)) // whoever holds wmu gets no further
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.farewelled || c.down {
		return
	}
	c.farewelled = true
	if e.Cause == nil { // else nobody is there
		c.goodbye(e)
	}
}

// goodbye writes a connection's last frame, and says that nothing more comes. Under wmu.
func (c *Client) goodbye(e *CloseError) {
	if c.ws {
		_, _ = c.conn.Write(closeFrame(e.Code, e.Reason))
		return
	}
	if !e.Remote {
		b := codec.AppendClientBye(make([]byte, headroom, headroom+160), e.Code, e.Reason)
		_, _ = c.conn.Write(b[c.framing.header(b, headroom):])
	}
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	} else {
		_ = c.conn.Close()
	}
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
	c.setState(State{Phase: Closed, Err: e})
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
	if !c.farewelled || e.Cause != nil || e.Code == codec.IdleTimeout && !e.Remote {
		return
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(grace))
	for {
		if _, err := c.conn.Read(c.in.buf[:cap(c.in.buf)]); err != nil {
			return
		}
	}
}
