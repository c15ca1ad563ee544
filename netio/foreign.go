package netio

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/volley-go/volley/codec"
)

// Foreign makes an Engine's WebSocket connections carry the messages of another protocol than Volley's frames, such as Engine.IO:
//
//   - Handler.Open is called right after the upgrade, without a first frame: the server may speak first.
//   - Messages may be text (Conn.Text) or empty. Every one goes to the session; none is taken for a PING or a PONG of Volley's,
//     and RTT stays 0.
//   - A connection ends with WebSocket's close frame alone, and no BYE.
//
// TCP connections are as without it.
type Foreign struct {
	// Ping is what a text message says that each connection is sent once in Config.PingInterval, the first time within one
	// interval of Open. nil: none is sent.
	Ping []byte
	// PingTimeout is how much longer than Config.PingInterval a peer may be silent before it is closed with IdleTimeout. Whole
	// messages, fragments and control frames break the silence. 0: 20 s.
	PingTimeout time.Duration
}

// invalidText is WebSocket's code for text that is not UTF-8.
const invalidText codec.Code = 1007

var (
	errInvalidText = &codec.Error{Code: invalidText, Reason: "a text message is not UTF-8"}

	errNoMessages = errors.New("netio: SendMessages needs at least one message, made by AppendMessage")
	errNotWeb     = errors.New("netio: SendMessages is for WebSocket connections")
)

// withDefaults returns a copy of f with its zero fields filled in; nil stays nil.
func (f *Foreign) withDefaults() *Foreign {
	if f == nil {
		return nil
	}
	return &Foreign{Ping: f.Ping, PingTimeout: orDefault(f.PingTimeout, 20*time.Second)}
}

// check refuses what no default can mend.
func (f *Foreign) check() error {
	switch {
	case f == nil:
	case f.PingTimeout < 0:
		return fmt.Errorf("netio: Foreign.PingTimeout is negative; 0 means its default")
	case !utf8.Valid(f.Ping):
		return fmt.Errorf("netio: Foreign.Ping is not UTF-8, as text has to be")
	}
	return nil
}

// foreign is Config.Foreign where it applies.
func (c *Conn) foreign() *Foreign {
	if c.transport == TCP {
		return nil
	}
	return c.e.cfg.Foreign
}

// Text reports, within Session.Message, whether the message is text. Without Config.Foreign none is.
func (c *Conn) Text() bool { return c.ws.text }

// AppendMessage appends a whole WebSocket message of a server, with its header, to b. Text must be UTF-8.
func AppendMessage(b []byte, text bool, payload []byte) []byte {
	op := byte(opBinary)
	if text {
		op = opText
	}
	return append(appendHeader(b, op, len(payload)), payload...)
}

// SendMessages sends b, which holds n messages that AppendMessage made, with one write. It is otherwise as Send, but only reads
// b: several calls may share it.
func (c *Conn) SendMessages(b []byte, n int) error {
	switch {
	case n < 1 || len(b) == 0:
		return errNoMessages
	case c.transport != WebSocket:
		return errNotWeb
	}
	return c.send(b, n)
}

// watch begins to ping a foreign connection, and to notice its silence; before Open has returned its peer knows of nothing that
// it could answer. lastSeen is set.
func (c *Conn) watch() {
	if c.foreign() != nil {
		c.pingAt.Store(c.pinged.Load())
	}
}

// sweptForeign sends the ping of a foreign connection if it is due, and closes those that are silent for too long. The sweeper
// comes back for whichever is next.
func (c *Conn) sweptForeign(f *Foreign, now int64) {
	interval := int64(c.e.cfg.PingInterval)
	idleAt := c.lastSeen.Load() + interval + int64(f.PingTimeout)
	if idleAt <= now {
		c.Close(codec.IdleTimeout, "", 0)
		return
	}
	ping := c.pinged.Load()
	due := ping <= now
	if due {
		if ping += interval; ping <= now {
			ping = now + interval
		}
		c.pinged.Store(ping)
	}
	c.pingAt.Store(min(ping, idleAt))
	if !due {
		return
	}
	if c.stuck() {
		c.Close(codec.SlowConsumer, stuckReason, 0)
		return
	}
	if f.Ping != nil && c.SendMessages(AppendMessage(nil, true, f.Ping), 1) == nil {
		c.e.counters[c.shard].pings.Add(1)
	}
}
