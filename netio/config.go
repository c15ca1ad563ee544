package netio

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"time"

	"github.com/volley-go/volley/codec"
)

// Config says how an Engine behaves. The zero Config works.
type Config struct {
	// Pollers is the number of goroutines that read sockets. 0: GOMAXPROCS.
	Pollers int
	// ReadBuffer is the size of each poller's read buffer, in bytes. 0: 64 KiB.
	ReadBuffer int
	// MaxMessage is the longest frame that a peer may send, in bytes. 0: 64 KiB.
	MaxMessage int
	// MaxBacklog bounds the bytes that wait behind a frame of which the kernel has not taken everything yet; beyond it the
	// connection is closed with SlowConsumer. So a peer that does not read costs one frame and that much. 0: 64 KiB.
	MaxBacklog int

	// HandshakeTimeout is the time from accept until Open has handled the first frame. 0: 10 s.
	HandshakeTimeout time.Duration
	// PingInterval is the time between two PINGs; a peer that is silent for two of them is closed with IdleTimeout (Foreign has a
	// timeout of its own). 0: 25 s. Negative: no PINGs, and nobody is idle.
	PingInterval time.Duration

	// MessagesPerSecond and MessageBurst are each connection's token bucket of messages; every WebSocket frame counts,
	// fragments and control frames too. 0: 500 and twice the rate. A negative rate: unlimited.
	MessagesPerSecond int
	MessageBurst      int
	// BytesPerSecond and BytesBurst are each connection's token bucket of received bytes, as they come off the socket.
	// 0: 256 KiB, and twice the rate but at least two messages of MaxMessage. A negative rate: unlimited.
	BytesPerSecond int
	BytesBurst     int

	// MaxConns bounds the connections that have completed the transport's handshake. 0: what the process may open of files when New
	// is called, but for a reserve of 7.5 % (at most 1,536). Negative: unlimited, and nothing is reserved; without a free descriptor
	// newcomers wait.
	MaxConns int
	// MaxBuffered bounds what all connections together make the Engine hold, in bytes: what no socket has taken, and frames that
	// have come in part. Beyond it those that hold the most are closed with Overloaded. 0: 256 MiB. Negative: unlimited.
	MaxBuffered int
	// MaxHandshakes bounds the accepted sockets that have not got that far, and separately the HTTP connections of pages.
	// 0: 4096.
	MaxHandshakes int
	// ConnsPerAddress bounds the sockets that one address has at a time: connections, handshakes, and those of pages. An IPv6
	// address counts as its /64. Loopback addresses are not counted: behind them is a proxy on this machine, or a test. 0: 1,024,
	// which a school or an office behind one address stays below. Negative: unlimited.
	ConnsPerAddress int
	// HandshakesPerSecondPerAddress bounds how fast an address's sockets come, with bursts of ten times as many. It counts as
	// ConnsPerAddress does. 0: 100. Negative: unlimited.
	HandshakesPerSecondPerAddress int
	// ClientAddr finds the address that an upgrade counts under for the two limits above, for servers behind a proxy on another
	// machine, whose address all connections have: see ForwardedFor. What it returns counts, loopback or not, but for the zero Addr.
	// Requests for pages and TCP connections are not shown to it; with it, the former count under no address. nil: the socket's own.
	ClientAddr func(r *http.Request) netip.Addr

	// AllowOrigins are further origins whose web pages may connect, beside the server's own: "https://game.example", with a port if
	// it is not the scheme's, "https://*.game.example" for all below it, or "*" for every one. nil: the server's own only.
	AllowOrigins []string
	// CheckOrigin decides whether a WebSocket upgrade may come from r's Origin, in place of AllowOrigins. nil: the Origin's host
	// must be r.Host, or AllowOrigins name it; a request without Origin (not a browser) passes.
	CheckOrigin func(r *http.Request) bool

	// Foreign makes the Engine's WebSocket connections speak another protocol. nil: Volley's.
	Foreign *Foreign

	// DrainSpread is the time over which Shutdown asks the connections to come back, each after another delay. 0: a second for each
	// 2,000 connections, at least one and at most 60. Negative: none is asked for.
	DrainSpread time.Duration
	// DrainTo is where Shutdown asks them to come back to, in the form in which they dialled. Empty: the same place.
	DrainTo string

	// OpenOnPoller says that Handler.Open never blocks. It is then called on a poller where that is possible, which saves a good
	// part of what it costs to let a connection in.
	OpenOnPoller bool

	// OnPoll runs on a poller's goroutine after each read event has been handled; it must not block. nil: nothing.
	OnPoll func()
	// OnRound lets pollers gather input that can wait (Conn.CanWait). While nothing else comes, they work in rounds: they rest, read
	// all that has become readable meanwhile, and call OnRound in place of OnPoll, with the number of the poller, from 0. It returns
	// how long to rest now, a few milliseconds at most: that is how long new connections' frames and PINGs may have to wait. again
	// is false when there will be no further round for now, and no rest. It must not block. nil: no rounds.
	OnRound func(poller int, again bool) (rest time.Duration)
	// Logger gets what an operator should know. nil: slog.Default().
	Logger *slog.Logger
}

const (
	maxMessageLimit = 1 << 30 // lengths are kept in 32 bits
	backlogSlack    = 64 << 10
	maxAddress      = 1 << 10 // of BYE
)

// maxWriteBuffer is how much nbio may hold of a connection: a frame, MaxBacklog behind it, and a little of our own.
func maxWriteBuffer(backlog int) int {
	most := codec.ServerLimits.Frame + backlog
	return most + most/8 + backlogSlack
}

// withDefaults returns c with its zero fields filled in.
func (c Config) withDefaults() Config {
	c.Pollers = orDefault(c.Pollers, runtime.GOMAXPROCS(0))
	c.ReadBuffer = orDefault(c.ReadBuffer, 64<<10)
	c.MaxMessage = orDefault(c.MaxMessage, 64<<10)
	c.MaxBacklog = orDefault(c.MaxBacklog, 64<<10)
	c.HandshakeTimeout = orDefault(c.HandshakeTimeout, 10*time.Second)
	c.PingInterval = orDefault(c.PingInterval, 25*time.Second)
	c.MessagesPerSecond = orDefault(c.MessagesPerSecond, 500)
	c.MessageBurst = orDefault(c.MessageBurst, 2*c.MessagesPerSecond)
	c.BytesPerSecond = orDefault(c.BytesPerSecond, 256<<10)
	c.BytesBurst = orDefault(c.BytesBurst, max(2*c.BytesPerSecond, 2*c.MaxMessage))
	c.MaxHandshakes = orDefault(c.MaxHandshakes, 4096)
	if c.MaxConns == 0 {
		c.MaxConns = defaultConns(openFiles())
	}
	c.MaxBuffered = orDefault(c.MaxBuffered, 256<<20)
	c.ConnsPerAddress = orDefault(c.ConnsPerAddress, 1024)
	c.HandshakesPerSecondPerAddress = orDefault(c.HandshakesPerSecondPerAddress, 100)
	c.Foreign = c.Foreign.withDefaults()
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func orDefault[T int | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

// check refuses what no default can mend. It is called on a Config with its defaults.
func (c Config) check() error {
	switch {
	case c.Pollers < 0, c.ReadBuffer < 0, c.MaxMessage < 0, c.MaxBacklog < 0, c.MaxHandshakes < 0:
		return fmt.Errorf("netio: a Config size or count is negative; 0 means its default")
	case c.HandshakeTimeout < 0:
		return fmt.Errorf("netio: Config.HandshakeTimeout is negative; 0 means its default")
	case c.MaxMessage > maxMessageLimit:
		return fmt.Errorf("netio: Config.MaxMessage is above 1 GiB")
	case c.MaxBacklog > maxMessageLimit:
		return fmt.Errorf("netio: Config.MaxBacklog is above 1 GiB")
	case c.CheckOrigin != nil && c.AllowOrigins != nil:
		return fmt.Errorf("netio: Config has both CheckOrigin and AllowOrigins; set one of them")
	case len(c.DrainTo) > maxAddress:
		return fmt.Errorf("netio: Config.DrainTo is longer than %d bytes", maxAddress)
	case c.MessagesPerSecond > 0 && c.MessageBurst < 1, c.BytesPerSecond > 0 && c.BytesBurst < c.MaxMessage:
		return fmt.Errorf("netio: a burst of Config is too small for one message of MaxMessage bytes")
	}
	return c.Foreign.check()
}
