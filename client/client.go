package client

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/volley-go/volley/codec"
)

// Client is a session on a server, over one connection after the other. Its methods may be called from any goroutine.
type Client struct {
	// Static after Dial.
	cfg    *Config       // with defaults
	ending chan struct{} // closed when err is set
	done   chan struct{} // closed when the goroutine that reads is through

	welcome atomic.Pointer[codec.Welcome] // without names and token; replaced by the goroutine that reads
	names   atomic.Pointer[names]         // replaced by the goroutine that reads
	closed  atomic.Bool                   // whether err is set, without a lock
	stop    atomic.Bool                   // whether err or cut is set, without a lock

	// Owned by the goroutine that reads (and by Dial before).
	in   input
	back comeback

	// The connection. Replaced by the goroutine that reads, under wmu and mu, so that one of the two is enough to look.
	conn    net.Conn
	framing framing
	ws      bool

	// wmu is held while a frame is written, and to put VOLLEYs into order. A Room's mu may be taken under it.
	wmu        sync.Mutex
	writeBy    time.Time // the write deadline that is set
	down       bool      // there is no connection, or it has not been welcomed: only whisper writes
	farewelled bool      // nothing more may be written

	mu        sync.Mutex // no other lock is taken under it
	err       *CloseError
	cut       *CloseError        // why writing failed on this connection; nil: it has not
	cutBy     time.Time          // when the goroutine that reads takes cut for the connection's end
	abort     context.CancelFunc // of what is under way to make a connection; nil: nothing is
	channels  []*Room            // by channel; nil: free
	pings     map[uint64]chan error
	lastStamp uint64
	state     State
	onState   []func(State)
	onClose   []func(*CloseError)
	told      bool // onClose has run
}

// Session returns the server's public name of this session, for logs. It changes with a new session.
func (c *Client) Session() string { return c.welcome.Load().Session }

// Limits returns what the server takes from a client.
func (c *Client) Limits() codec.Limits { return c.welcome.Load().Limits }

// LocalAddr returns this end of the connection or, if it is lost, of the last one.
func (c *Client) LocalAddr() net.Addr { return c.connection().LocalAddr() }

// RemoteAddr returns the server's end of it.
func (c *Client) RemoteAddr() net.Addr { return c.connection().RemoteAddr() }

func (c *Client) connection() net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn
}

// Done returns a channel that is closed when the client has ended, all callbacks have run and its goroutine is through.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err returns why the client ended, a *CloseError, or nil while it has not: a connection that is lost is not its end as long as
// it comes back.
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

// OnClose calls f once, when the client has ended, after the rooms' OnLeft, on the goroutine that reads. If that has been
// already, f is called at once.
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

// Ping measures one round trip to the server. It fails with ErrOffline when there is no connection, or it is lost meanwhile.
func (c *Client) Ping(ctx context.Context) (time.Duration, error) {
	answer := make(chan error, 1)
	c.mu.Lock()
	c.lastStamp++
	stamp := c.lastStamp
	if c.pings == nil {
		c.pings = map[uint64]chan error{}
	}
	c.pings[stamp] = answer
	c.mu.Unlock()
	defer c.pong(stamp)

	sent := time.Now()
	if err := c.writeControl(func(b []byte) []byte { return codec.AppendPing(b, stamp) }); err != nil {
		return 0, err
	}
	select {
	case err := <-answer:
		return time.Since(sent), err
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
		answer <- nil
		delete(c.pings, stamp)
	}
}
