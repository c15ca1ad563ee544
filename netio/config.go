package netio

import (
	"fmt"
	"log/slog"
	"net/http"
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

	// HandshakeTimeout is the time from accept until the first frame has been handled. 0: 10 s.
	HandshakeTimeout time.Duration
	// PingInterval is the time between two PINGs; a peer that is silent for two of them is closed with IdleTimeout.
	// 0: 25 s. Negative: no PINGs, and nobody is idle.
	PingInterval time.Duration

	// MessagesPerSecond and MessageBurst are each connection's token bucket of messages; every WebSocket frame counts,
	// fragments and control frames too. 0: 500 and twice the rate. A negative rate: unlimited.
	MessagesPerSecond int
	MessageBurst      int
	// BytesPerSecond and BytesBurst are each connection's token bucket of received bytes, as they come off the socket.
	// 0: 256 KiB, and twice the rate but at least two messages of MaxMessage. A negative rate: unlimited.
	BytesPerSecond int
	BytesBurst     int

	// MaxConns bounds the connections that have completed the transport's handshake. 0: unlimited.
	MaxConns int
	// MaxHandshakes bounds the accepted sockets that have not got that far, and separately the HTTP connections of pages.
	// 0: 4096.
	MaxHandshakes int
	// CheckOrigin decides whether a WebSocket upgrade may come from r's Origin. nil: the Origin's host must be r.Host; a
	// request without Origin (not a browser) passes.
	CheckOrigin func(r *http.Request) bool

	// OnPoll runs on a poller's goroutine after each read event has been handled; it must not block. nil: nothing.
	OnPoll func()
	// OnRound lets pollers gather input that can wait (Conn.CanWait). While nothing else comes, they work in rounds: they rest, read all that
	// has become readable meanwhile, and call OnRound in place of OnPoll, with the number of the poller, from 0. It returns how long to
	// rest now, a few milliseconds at most: that is how long new connections' frames and PINGs may have to wait. again is false when there will be
	// no further round for now, and no rest. It must not block. nil: no rounds.
	OnRound func(poller int, again bool) (rest time.Duration)
	// Logger gets what an operator should know. nil: slog.Default().
	Logger *slog.Logger
}

const (
	maxMessageLimit = 1 << 30 // lengths are kept in 32 bits
	backlogSlack    = 64 << 10
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
	if c.CheckOrigin == nil {
		c.CheckOrigin = sameOrigin
	}
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
	case c.Pollers < 0, c.ReadBuffer < 0, c.MaxMessage < 0, c.MaxBacklog < 0, c.MaxConns < 0, c.MaxHandshakes < 0:
		return fmt.Errorf("netio: a Config size or count is negative; 0 means its default")
	case c.HandshakeTimeout < 0:
		return fmt.Errorf("netio: Config.HandshakeTimeout is negative; 0 means its default")
	case c.MaxMessage > maxMessageLimit:
		return fmt.Errorf("netio: Config.MaxMessage is above 1 GiB")
	case c.MessagesPerSecond > 0 && c.MessageBurst < 1, c.BytesPerSecond > 0 && c.BytesBurst < c.MaxMessage:
		return fmt.Errorf("netio: a burst of Config is too small for one message of MaxMessage bytes")
	}
	return nil
}
