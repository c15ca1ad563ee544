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
// only. Dial tries once; from then on the client comes back by itself, as Config.Reconnect says.
func Dial(ctx context.Context, address string, cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.DialTimeout)
	defer cancel()
	c := &Client{cfg: &cfg, down: true, ending: make(chan struct{}), done: make(chan struct{})}
	c.names.Store(new(names))
	c.back.places.home = address
	if _, err := c.connect(ctx, ""); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", ctx.Err(), err) // the deadline's own error says less
		}
		return nil, fmt.Errorf("client: dial %s: %w", redacted(address), err)
	}
	c.up()
	go c.run()
	return c, nil
}

// connect does everything from the socket to WELCOME, at the place whose turn it is, with the token if there is one. It reports
// whether the server carries the session on. On the goroutine that reads.
func (c *Client) connect(ctx context.Context, token string) (resumed bool, err error) {
	hello, err := c.hello(ctx, token)
	if err != nil {
		return false, err
	}
	u, how, port, err := parseAddress(c.back.places.current())
	if err != nil {
		return false, err
	}
	raw, err := c.cfg.NetDial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return false, err
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err = c.open(ctx, raw, u, how); err != nil {
		_ = raw.Close()
		return false, err
	}
	if resumed, err = c.greet(hello, token != ""); err == nil && !stop() { // the deadline has been set, or is being
		err = context.Cause(ctx)
	}
	if err != nil {
		c.hangUp(asEnd(err))
		return false, err
	}
	c.back.since = time.Now()
	return resumed, nil
}

// open makes a socket a connection that frames can go through, and the client's.
func (c *Client) open(ctx context.Context, conn net.Conn, u *url.URL, how scheme) error {
	if how.tls {
		secure := tls.Client(conn, tlsConfig(c.cfg.TLS, u.Hostname(), how.ws))
		if err := secure.HandshakeContext(ctx); err != nil {
			return err
		}
		conn = secure
	}
	limit := c.cfg.Limits.Frame
	if !how.ws {
		c.attach(conn, &tcpFraming{limit: limit}, nil)
		return nil
	}
	rest, err := upgrade(conn, u, c.cfg.Header)
	if err != nil {
		return err
	}
	c.attach(conn, &wsFraming{limit: limit}, rest)
	return nil
}

// attach makes conn the client's connection, of which rest has been read already. It stays down.
func (c *Client) attach(conn net.Conn, f framing, rest []byte) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.framing, c.writeBy = conn, f, time.Time{}
	_, c.ws = f.(*wsFraming)
	c.cut, c.farewelled = nil, false
	c.stop.Store(c.err != nil)
	c.in = input{buf: c.in.buf}
	if len(rest) > 0 {
		if len(rest) > cap(c.in.buf) {
			c.in.buf = make([]byte, max(minBuffer, len(rest)))
		}
		c.in.end = copy(c.in.buf[:cap(c.in.buf)], rest)
	}
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

// hello returns the HELLO of a new session, or of one that the token resumes, behind headroom.
func (c *Client) hello(ctx context.Context, token string) ([]byte, error) {
	b := make([]byte, headroom, headroom+256)
	if token != "" {
		return codec.AppendResume(b, nil, codec.Resume{Token: token, Channels: c.processed()}), nil
	}
	auth := c.cfg.Auth
	if c.cfg.AuthFunc != nil {
		var err error
		if auth, err = c.cfg.AuthFunc(ctx); err != nil {
			return nil, fmt.Errorf("Config.AuthFunc: %w", err)
		}
	}
	var value []byte
	if auth != nil {
		var err error
		if value, err = codec.Marshal(auth); err != nil {
			return nil, fmt.Errorf("Config.Auth: %w", err)
		}
	}
	return codec.AppendHello(b, value), nil
}

// greet says HELLO and waits for WELCOME.
func (c *Client) greet(hello []byte, resuming bool) (resumed bool, err error) {
	if err := c.whisper(hello); err != nil {
		return false, lost(err)
	}
	for {
		p, e := c.next()
		if e != nil {
			return false, e
		}
		w, e := c.greeting(p)
		switch {
		case e != nil:
			return false, e
		case w == nil:
			continue
		}
		if err := c.welcomed(w, w.Resumed && resuming); err != nil {
			return false, fault(err)
		}
		return w.Resumed && resuming, nil
	}
}

// greeting takes a frame that came before WELCOME, or is it.
func (c *Client) greeting(p []byte) (*codec.Welcome, *CloseError) {
	r := codec.NewReader(p, c.cfg.Limits)
	t, n, err := r.Frame()
	if err != nil {
		return nil, fault(err)
	}
	switch t {
	case codec.FrameWelcome:
		w, err := r.Welcome(n)
		if err != nil {
			return nil, fault(err)
		}
		return &w, nil
	case codec.FramePing:
		stamp, err := r.Stamp(n)
		if err == nil {
			err = c.whisper(codec.AppendPong(make([]byte, headroom, headroom+16), stamp))
		}
		if err != nil {
			return nil, fault(err)
		}
		return nil, nil
	case codec.FrameBye:
		return nil, c.frame(p)
	}
	return nil, fault(codec.Errorf(codec.UnexpectedFrame, "the server sent frame type %d before WELCOME", t))
}

// welcomed takes WELCOME's facts. The table of names grows in a session, and begins anew with a new one.
func (c *Client) welcomed(w *codec.Welcome, resumed bool) error {
	known := c.names.Load()
	if !resumed {
		known = &names{session: known.session + 1}
	}
	table, err := known.with(0, w.Names)
	if err != nil {
		return err
	}
	c.back.welcome(w.Token, resumed)
	w.Names, w.Token, w.Limits = nil, "", w.Limits.WithDefaults()
	c.welcome.Store(w)
	c.names.Store(table)
	c.in.open = true
	return nil
}

// whisper writes the frame behind headroom on a connection that is down for everybody else.
func (c *Client) whisper(frame []byte) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	_, err := c.conn.Write(frame[c.framing.header(frame, headroom):])
	return err
}
