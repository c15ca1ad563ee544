package client

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/volley-go/volley/codec"
)

// Config says how to connect. The zero Config works.
type Config struct {
	// Auth is what HELLO tells the server's authentication hook: any value that msgpack can hold. nil: nothing.
	Auth any
	// AuthFunc returns it instead, for each new session: for tokens that expire. A session that is resumed does not ask. Its
	// error ends Dial or, later, is a failed try. nil: Auth.
	AuthFunc func(context.Context) (any, error)
	// Header is added to the request of a WebSocket connection: cookies, Origin, authorization.
	Header http.Header

	// TLS is for wss and tcps. It may be shared by clients. nil: the machine's root certificates. The name to verify is the
	// URL's host unless ServerName says otherwise.
	TLS *tls.Config
	// NetDial makes the connection below TLS and WebSocket, for source addresses, proxies and tests. nil: a net.Dialer.
	NetDial func(ctx context.Context, network, address string) (net.Conn, error)

	// DialTimeout bounds Dial, from the first packet to WELCOME, besides its context, and each later try to connect. 0: 10 s.
	DialTimeout time.Duration
	// WriteTimeout is how long the server may take nothing while something is being written before the connection is given up;
	// up to twice as long counts as well. 0: 10 s.
	WriteTimeout time.Duration

	// Limits bound each frame from the server. Zero fields: those of codec.ServerLimits.
	Limits codec.Limits
	// Unacknowledged bounds the packets of a room that the server has not processed yet, in bytes and, at one for every 16 bytes,
	// in number: what is on its way, and what waits for a lost connection to come back. What would go beyond it is refused
	// with ErrFull. 0: 256 KiB.
	Unacknowledged int

	// Reconnect says how to come back when the connection is lost. Its zero value does so.
	Reconnect Reconnect
}

func (c Config) withDefaults() Config {
	if c.NetDial == nil {
		c.NetDial = new(net.Dialer).DialContext
	}
	if c.DialTimeout <= 0 {
		c.DialTimeout = 10 * time.Second
	}
	if c.WriteTimeout <= 0 {
		c.WriteTimeout = 10 * time.Second
	}
	if c.Limits.Frame <= 0 {
		c.Limits.Frame = codec.ServerLimits.Frame
	}
	if c.Limits.Packets <= 0 {
		c.Limits.Packets = codec.ServerLimits.Packets
	}
	if c.Limits.Depth <= 0 {
		c.Limits.Depth = codec.ServerLimits.Depth
	}
	if c.Limits.Elements <= 0 {
		c.Limits.Elements = codec.ServerLimits.Elements
	}
	if c.Unacknowledged <= 0 {
		c.Unacknowledged = 256 << 10
	}
	c.Unacknowledged = min(c.Unacknowledged, 1<<30)
	c.Reconnect = c.Reconnect.withDefaults()
	return c
}
