package socketio

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/volley-go/volley/codec"
)

// Config is how a Server runs. The zero value works.
type Config struct {
	// Path is where clients' requests come, without a slash at its end. Empty: "/socket.io".
	Path string
	// Transports are those that are served, of "polling" and "websocket". nil: both.
	Transports []string

	// PingInterval is how often a client is pinged, PingTimeout how long it may take to answer. 0: 25 s and 20 s.
	PingInterval, PingTimeout time.Duration
	// UpgradeTimeout is how long a move from polling to WebSocket may take. 0: 10 s.
	UpgradeTimeout time.Duration
	// ConnectTimeout is how long a client may be without a namespace. 0: 45 s.
	ConnectTimeout time.Duration
	// Recovery is connection state recovery: how long a socket whose connection was lost may come back for, with its id, its rooms,
	// its Data and what it missed. While it is on, each event has one argument more at its end, a string, by which the client says
	// how far it is. 0: off, a lost connection is the end of its sockets. In mounted kinds, room.Config.Grace is the time.
	Recovery time.Duration
	// MaxAway is how many sockets may be waited for at once. 0: 100,000.
	MaxAway int

	// MaxPayload is how many bytes a WebSocket message, a packet with its attachments, or the body of a POST may have.
	// 0: 1,000,000, which is Socket.IO's default.
	MaxPayload int
	// MaxAttachments is how many binary values a packet of the default parser may have. 0: 16.
	MaxAttachments int
	// MaxPackets is how many packets the body of a POST may have. Clients put into one what they have emitted while they were not
	// connected. 0: 1,000.
	MaxPackets int
	// MaxBacklog is how many bytes may wait for a client behind something that it has not taken, before its connection is closed.
	// Namespaces hold back while anything waits, so this bounds what several of them, and refusals, add. 0: 64 KiB.
	MaxBacklog int
	// MaxNamespaces is how many namespaces one client may be connected to. 0: 16.
	MaxNamespaces int
	// MaxSessions is how many clients the server holds. 0: 100,000. Negative: no limit.
	MaxSessions int
	// SessionsPerAddress is how many of them one address may have. An IPv6 address counts as its /64; loopback addresses are not
	// counted. 0: 1,024. Negative: no limit.
	SessionsPerAddress int
	// ClientAddr finds the address that a client counts under, when a proxy on another machine stands in front: usually
	// netio.ForwardedFor. The zero Addr is not counted. nil: the socket's own.
	ClientAddr func(r *http.Request) netip.Addr
	// MessagesPerSecond bounds what a client may send, in packets, with bursts of twice as many. 0: 500. Negative: no limit.
	MessagesPerSecond int
	// BytesPerSecond bounds it in bytes, with bursts of twice as many but at least twice MaxPayload. 0: 256 KiB. Negative: no limit.
	BytesPerSecond int

	// AllowOrigins are the origins whose web pages may connect, beside the server's own, as in volley.Config.
	AllowOrigins []string
	// CheckOrigin decides whether a web page may connect, in place of AllowOrigins. nil: they do.
	CheckOrigin func(r *http.Request) bool

	// Auth decides about a client that connects to a mounted kind, and returns the value that room.Client.User will show. It runs
	// on a goroutine of its own and may block. An error is the client's connect_error. nil: everybody may come in.
	Auth func(h *Handshake) (user any, err error)

	// Pollers is the number of goroutines that read WebSockets. 0: GOMAXPROCS.
	Pollers int
	// Workers is the number of goroutines that run namespaces beside them. 0: GOMAXPROCS.
	Workers int
	// Logger hears what an operator should know. nil: slog.Default().
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	def(&c.Path, "/socket.io")
	if c.Transports == nil {
		c.Transports = []string{"polling", "websocket"}
	}
	def(&c.PingInterval, 25*time.Second)
	def(&c.PingTimeout, 20*time.Second)
	def(&c.UpgradeTimeout, 10*time.Second)
	def(&c.ConnectTimeout, 45*time.Second)
	def(&c.MaxAway, 100_000)
	def(&c.MaxPayload, 1_000_000)
	def(&c.MaxAttachments, 16)
	def(&c.MaxPackets, 1000)
	def(&c.MaxBacklog, 64<<10)
	def(&c.MaxNamespaces, 16)
	def(&c.MaxSessions, 100_000)
	def(&c.SessionsPerAddress, 1024)
	def(&c.MessagesPerSecond, 500)
	def(&c.BytesPerSecond, 256<<10)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// def gives *v its default if it is zero.
func def[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// limits are what the packets of a client may be.
func (c *Config) limits() packetLimits {
	return packetLimits{Attachments: c.MaxAttachments, Bytes: c.MaxPayload, Limits: codec.Limits{Elements: 100_000}.WithDefaults()}
}

// bytesBurst is how many bytes may come at once.
func (c *Config) bytesBurst() int { return max(2*c.BytesPerSecond, 2*c.MaxPayload+1024) }
