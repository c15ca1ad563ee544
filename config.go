package volley

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"time"

	"github.com/volley-go/volley/codec"
)

// Config is how a Server runs. The zero value works: it serves what it is mounted to, with safe limits.
type Config struct {
	// Addr is where Run listens for WebSocket connections and pages, such as ":8080". Empty: nowhere; mount the Server.
	Addr string
	// TCPAddr is where Run listens for raw TCP connections. Empty: nowhere.
	TCPAddr string
	// Listen opens them, for sockets with options of their own (SO_REUSEPORT, systemd). nil: as net.Listen does, without TCP
	// keep-alives: connections are pinged anyway.
	Listen func(network, addr string) (net.Listener, error)
	// TLS makes both of them speak TLS. nil: plain.
	TLS *tls.Config
	// Path is where the WebSocket is; the browser client is at Path + ".js". Empty: "/volley".
	Path string
	// Pages serves every other request on Addr. nil: nothing is found.
	Pages http.Handler

	// Auth decides about a connection once it has said HELLO, and returns the value that room.Client.User will show. It may
	// block. An error refuses the connection with codec.Unauthorized and the error's text. nil: everybody may come in.
	Auth func(h *Hello) (user any, err error)
	// AllowOrigins are the origins whose web pages may connect, beside the server's own: "https://game.example", with a port if it
	// is not the scheme's, "https://*.game.example" for all below it, "*" for every one. nil: the server's own only. Set it, or
	// CheckOrigin, when the pages come from elsewhere, or a proxy changes the Host header; the others get 403.
	AllowOrigins []string
	// CheckOrigin decides whether a web page may connect, in place of AllowOrigins. nil: they do.
	CheckOrigin func(r *http.Request) bool

	// Limits bound each frame from a client. Zero fields: those of codec.ClientLimits.
	Limits codec.Limits
	// MaxRooms is how many rooms the server runs at once. 0: 100,000.
	MaxRooms int
	// MaxConns is how many connections it holds at once. 0: as many as the process may open files, but for a reserve of 7.5 %, at
	// most 1,536. Negative: no limit and no reserve.
	MaxConns int
	// ConnsPerAddress is how many sockets one address may have: connections, handshakes, those of pages. An IPv6 address counts as
	// its /64; loopback addresses are not counted. 0: 1,024. Negative: no limit.
	ConnsPerAddress int
	// HandshakesPerSecondPerAddress is how fast they may come, with bursts of ten times as many. 0: 100. Negative: no limit.
	HandshakesPerSecondPerAddress int
	// ClientAddr finds the address that a WebSocket counts under, when a proxy on another machine stands in front: usually
	// netio.ForwardedFor. The zero Addr is not counted. nil: the socket's own.
	ClientAddr func(r *http.Request) netip.Addr
	// RoomsPerConn is how many rooms one connection may be in. 0: 16.
	RoomsPerConn int
	// JoinsPerSecond is how many JOINs a connection may send, and so how many rooms it may make, with bursts of twice as many but
	// at least twice RoomsPerConn. 0: 20. Negative: no limit.
	JoinsPerSecond int
	// Requests is how many requests of one client may wait for a room's tick; more are dropped with codec.TooManyRequests. 0: 256.
	Requests int
	// MaxAway is how many sessions whose connections were lost may wait for their clients at once (room.Config.Grace says how
	// long). Beyond it a lost connection is a leave. 0: 100,000.
	MaxAway int
	// MaxBacklog is how many unsent bytes a connection may have behind an unsent frame before it is closed with
	// codec.SlowConsumer. Rooms hold back while anything is unsent, so this bounds the answers to a client that asks without
	// reading. A frame that finds the connection ready may be longer. 0: 64 KiB.
	MaxBacklog int
	// MaxBuffered is how many bytes all connections together may make the server hold: unsent ones, and frames that have come in
	// part. Beyond it those that hold the most are closed with codec.Overloaded. 0: 256 MiB. Negative: no limit.
	MaxBuffered int
	// MessagesPerSecond bounds what a connection may send, with bursts of twice as many. 0: 500. Negative: no limit.
	MessagesPerSecond int
	// BytesPerSecond bounds it in bytes. 0: 256 KiB. Negative: no limit.
	BytesPerSecond int

	// HandshakeTimeout is how long a connection may take to say HELLO. 0: 10 s.
	HandshakeTimeout time.Duration
	// PingInterval is how often a connection is pinged; one that is silent for two of them is closed. 0: 25 s. Negative: never.
	PingInterval time.Duration
	// AckInterval is how often clients are asked to acknowledge what they got. 0: 5 s.
	AckInterval time.Duration
	// DrainTimeout is how long Run waits for rooms and connections to end. A quarter of it, at most two seconds, is kept for the
	// connections; games that have a hook Drain get the rest. 0: 10 s.
	DrainTimeout time.Duration
	// DrainSpread is the time over which a server that ends asks its clients to come back, each after another delay. 0: a second for
	// each 2,000 connections, at least one and at most 60. Negative: the delay is left to the clients.
	DrainSpread time.Duration
	// DrainTo is where it asks them to come back to, in the form in which they dial: a URL, or host:port for TCP. Empty: the same
	// place.
	DrainTo string

	// Pollers is the number of goroutines that read sockets. 0: GOMAXPROCS.
	Pollers int
	// Workers is the number of goroutines that run ticks. 0: GOMAXPROCS.
	Workers int
	// TickOnWorkers leaves ticks to the workers. By default pollers run those that are due, between the sockets that they
	// read, so that fewer goroutines have to be woken up, and workers fill the gaps; rooms that block, or say that they do
	// (room.Config.Blocking), run on goroutines of their own either way. BenchmarkTickDriver measures both.
	TickOnWorkers bool

	// Gather is how long input for rooms that tick may wait for company. Ticks of a rate run together, this far apart at the
	// most and closer where there are many, and while nothing comes but their input a poller reads its sockets when they are
	// due and not as each byte arrives: fewer wake-ups, which are what most of the CPU goes into. It adds nothing to the time
	// from an input to its tick. Answers to PINGs and joins may take that much longer. 0: 5 ms. Negative: off, each input
	// wakes a poller.
	Gather time.Duration

	// Logger hears what an operator should know. nil: slog.Default().
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Listen == nil {
		quiet := net.ListenConfig{KeepAlive: -1}
		c.Listen = func(network, addr string) (net.Listener, error) {
			return quiet.Listen(context.Background(), network, addr)
		}
	}
	if c.Path == "" {
		c.Path = "/volley"
	}
	if !strings.HasPrefix(c.Path, "/") {
		c.Path = "/" + c.Path
	}
	c.Limits = c.Limits.WithDefaults()
	if c.RoomsPerConn <= 0 {
		c.RoomsPerConn = 16
	}
	if c.JoinsPerSecond == 0 {
		c.JoinsPerSecond = 20
	}
	if c.MaxAway <= 0 {
		c.MaxAway = 100_000
	}
	if c.MaxBacklog <= 0 {
		c.MaxBacklog = 64 << 10
	}
	if c.PingInterval == 0 {
		c.PingInterval = 25 * time.Second
	}
	if c.AckInterval <= 0 {
		c.AckInterval = 5 * time.Second
	}
	if c.DrainTimeout <= 0 {
		c.DrainTimeout = 10 * time.Second
	}
	if c.Pollers <= 0 {
		c.Pollers = runtime.GOMAXPROCS(0)
	}
	if c.Gather == 0 {
		c.Gather = 5 * time.Millisecond
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}
