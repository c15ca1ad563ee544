package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/volley-go/volley/codec"
)

// Dial connects to a server: "ws://host:port/path", "wss://…", "tcp://host:port" or "tcps://…". It returns when the server has
// welcomed the client. A server's refusal is a *CloseError, or an *UpgradeError if it comes from HTTP. ctx is for the dialling
// only.
func Dial(ctx context.Context, address string, cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.DialTimeout)
	defer cancel()
	c, err := dial(ctx, address, cfg)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", ctx.Err(), err) // the deadline's own error says less
		}
		return nil, fmt.Errorf("client: dial %s: %w", redacted(address), err)
	}
	go c.run()
	return c, nil
}

func redacted(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Redacted()
	}
	return address
}

// scheme is a way to connect.
type scheme struct {
	ws, tls bool
	port    string // the default; empty: it must be given
}

var schemes = map[string]scheme{
	"ws": {ws: true, port: "80"}, "wss": {ws: true, tls: true, port: "443"}, "tcp": {}, "tcps": {tls: true},
}

func dial(ctx context.Context, address string, cfg Config) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	how, ok := schemes[u.Scheme]
	if !ok {
		return nil, fmt.Errorf("scheme %q is none of ws, wss, tcp and tcps", u.Scheme)
	}
	port := u.Port()
	if port == "" {
		port = how.port
	}
	if u.Hostname() == "" || port == "" {
		return nil, fmt.Errorf("the address needs a host and a port")
	}
	conn, err := cfg.NetDial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	c, err := open(ctx, conn, u, how, cfg)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// open does everything from the socket to WELCOME.
func open(ctx context.Context, conn net.Conn, u *url.URL, how scheme, cfg Config) (*Client, error) {
	raw := conn
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if how.tls {
		secure := tls.Client(conn, tlsConfig(cfg.TLS, u.Hostname(), how.ws))
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		conn = secure
	}
	c := &Client{
		conn: conn, ws: how.ws, limits: cfg.Limits, writeTimeout: cfg.WriteTimeout, bound: cfg.Unacknowledged,
		ending: make(chan struct{}), done: make(chan struct{}),
	}
	c.framing = &tcpFraming{limit: cfg.Limits.Frame}
	if how.ws {
		rest, err := upgrade(conn, u, cfg.Header)
		if err != nil {
			return nil, err
		}
		c.framing = &wsFraming{limit: cfg.Limits.Frame}
		if len(rest) > 0 {
			c.in.buf = make([]byte, max(minBuffer, len(rest)))
			c.in.end = copy(c.in.buf, rest)
		}
	}
	if err := c.hello(cfg.Auth); err != nil {
		return nil, err
	}
	if !stop() { // the deadline has been set, or is being
		return nil, context.Cause(ctx)
	}
	return c, nil
}

// tlsConfig returns the user's configuration with what is missing.
func tlsConfig(cfg *tls.Config, host string, ws bool) *tls.Config {
	if cfg == nil {
		cfg = &tls.Config{}
	}
	if cfg.ServerName != "" && (len(cfg.NextProtos) > 0 || !ws) {
		return cfg
	}
	cfg = cfg.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	if ws && len(cfg.NextProtos) == 0 {
		cfg.NextProtos = []string{"http/1.1"}
	}
	return cfg
}

// hello says HELLO and waits for WELCOME.
func (c *Client) hello(auth any) error {
	var value []byte
	if auth != nil {
		var err error
		if value, err = codec.Marshal(auth); err != nil {
			return fmt.Errorf("Config.Auth: %w", err)
		}
	}
	if err := c.writeControl(func(b []byte) []byte { return codec.AppendHello(b, value) }); err != nil {
		return err
	}
	for c.welcome.Version == 0 {
		p, e := c.next()
		if e == nil {
			e = c.greeting(p)
		}
		if e != nil {
			c.farewell(c.end(e))
			return e
		}
	}
	return nil
}

// greeting takes a frame that came before WELCOME, or is it.
func (c *Client) greeting(p []byte) *CloseError {
	r := codec.NewReader(p, c.limits)
	t, n, err := r.Frame()
	if err != nil {
		return fault(err)
	}
	switch t {
	case codec.FrameWelcome:
		w, err := r.Welcome(n)
		if err != nil {
			return fault(err)
		}
		table, err := new(names).with(0, w.Names)
		if err != nil {
			return fault(err)
		}
		c.names.Store(table)
		w.Names, w.Limits = nil, w.Limits.WithDefaults()
		c.welcome = w
		return nil
	case codec.FramePing, codec.FrameBye:
		return c.frame(p)
	}
	return fault(codec.Errorf(codec.UnexpectedFrame, "the server sent frame type %d before WELCOME", t))
}
