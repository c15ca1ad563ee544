package client

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/volley-go/volley/codec"
)

// Client is one connection to a server. Its methods may be called from any goroutine.
type Client struct {
	// Static after Dial.
	conn         net.Conn
	framing      framing
	ws           bool
	welcome      codec.Welcome // without the names
	limits       codec.Limits  // of what the server sends
	writeTimeout time.Duration
	bound        int // of a room's outbox

	names  atomic.Pointer[names] // replaced by the goroutine that reads
	closed atomic.Bool           // whether err is set, without a lock
	ending chan struct{}         // closed when err is set
	done   chan struct{}         // closed when the goroutine that reads is through

	in input // owned by the goroutine that reads (and by Dial before)

	// wmu is held while a frame is written, and to put VOLLEYs into order. A Room's mu may be taken under it.
	wmu        sync.Mutex
	writeBy    time.Time // the write deadline that is set
	farewelled bool      // nothing more may be written

	mu        sync.Mutex // no other lock is taken under it
	err       *CloseError
	channels  []*Room // by channel; nil: free
	pings     map[uint64]chan struct{}
	lastStamp uint64
	onClose   []func(*CloseError)
	told      bool // onClose has run
}

// Session returns the server's public name of this session, for logs.
func (c *Client) Session() string { return c.welcome.Session }

// Limits returns what the server takes from a client.
func (c *Client) Limits() codec.Limits { return c.welcome.Limits }

// LocalAddr and RemoteAddr return the connection's ends.
func (c *Client) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// RemoteAddr returns the server's address.
func (c *Client) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// Done returns a channel that is closed when the connection has ended, all callbacks have run and its goroutine is through.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err returns why the connection ended, a *CloseError, or nil while it has not.
func (c *Client) Err() error {
	if e := c.ended(); e != nil {
		return e
	}
	return nil
}

func (c *Client) ended() *CloseError {
	if !c.closed.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// OnClose calls f once, when the connection has ended, after the rooms' OnLeft, on the goroutine that reads. If that has
// been already, f is called at once.
func (c *Client) OnClose(f func(*CloseError)) {
	c.mu.Lock()
	told, err := c.told, c.err
	if !told {
		c.onClose = append(c.onClose, f)
	}
	c.mu.Unlock()
	if told {
		f(err)
	}
}

// Ping measures one round trip to the server.
func (c *Client) Ping(ctx context.Context) (time.Duration, error) {
	answer := make(chan struct{}, 1)
	c.mu.Lock()
	c.lastStamp++
	stamp := c.lastStamp
	if c.pings == nil {
		c.pings = map[uint64]chan struct{}{}
	}
	c.pings[stamp] = answer
	c.mu.Unlock()
	defer c.pong(stamp)

	sent := time.Now()
	if err := c.writeControl(func(b []byte) []byte { return codec.AppendPing(b, stamp) }); err != nil {
		return 0, err
	}
	select {
	case <-answer:
		return time.Since(sent), nil
	case <-c.ending:
		return 0, c.Err()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// pong answers the Ping that waits for the stamp, if one does.
func (c *Client) pong(stamp uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if answer := c.pings[stamp]; answer != nil {
		answer <- struct{}{}
		delete(c.pings, stamp)
	}
}
