package room

import (
	"sync/atomic"

	"github.com/volley-go/volley/codec"
)

// Client is a membership of a room, which a session holds: it outlives the session's connection for Config.Grace. Its methods
// belong in the room's callbacks, but for those that say otherwise.
type Client struct {
	// Static after construction.
	room    *Room
	user    any
	channel uint32
	id      uint32 // never 0

	// Guarded by the room's inbox.mu.
	next  uint64 // the sequence number that its next packet must have
	waits int32  // what its packets in the inbox cost
	turn  uint32 // the inbox's turn that waits and requests are about

	requests int32   // of it in the inbox
	left     bool    // its leave has been taken
	change   *change // of its connection, that an itemChange in the inbox stands for; nil: none

	// Owned by the room's owner.
	state             clientState
	lagging           bool   // cursor is valid; otherwise the client has everything before the current tick
	fallen            bool   // off the log: it gets nothing until it has left or begun afresh
	unacked           bool   // it is among the room's clients whose packets are to be acknowledged
	away              bool   // its connection is lost
	afresh            bool   // since and floor are those of a RESYNC
	lastAsk           uint32 // the id of the last request to it
	firstRef, lastRef uint32 // what is for it in this tick: places in log.refs, plus one; 0: nothing
	link              Link
	cursor            uint64 // the number of the next segment to hand over
	applied           uint64 // its last packet that the room has processed
	acked             uint64 // what the client was told of that
	served            uint64 // the last tick in which it was brought up to date
	sent              uint64 // the tick of the last frame with packets that its connection was given
	since             uint64 // the tick of JOINED or, since then, of RESYNC
	floor             uint64 // the number of the first segment that it may need: after that, or after all it was known to have
	rare              *rare  // nil: nothing of that

	heard atomic.Uint64 // the last tick that the client says it has processed
}

// rare is what few clients have at a time. Owned by the room's owner.
type rare struct {
	options []byte // the JOIN's, until the game's Join has returned: one checked msgpack value
	asks    map[uint32]*ask
	noticed uint64 // the tick that notices is about
	notices uint32 // NOTICEs it was due in it
	grace   *Timer // ends a membership whose connection is lost
	asked   bool   // for a fresh beginning: an itemResync is on its way
}

// rarely returns c.rare, which it makes if need be.
func (c *Client) rarely() *rare {
	if c.rare == nil {
		c.rare = &rare{}
	}
	return c.rare
}

// asks returns the requests to c that wait for its replies.
func (c *Client) asks() map[uint32]*ask {
	if c.rare == nil {
		return nil
	}
	return c.rare.asks
}

type clientState uint8

const (
	joining clientState = iota
	live
	leaving // the game has been told; the last frame has not been sent
	gone
)

// ID returns the client's number in its room: 1 for the first, never used again in this room. Any goroutine.
func (c *Client) ID() uint32 { return c.id }

// Room returns the client's room. Any goroutine.
func (c *Client) Room() *Room { return c.room }

// User returns what the server's authentication hook returned for this session; nil without a hook. Any goroutine.
func (c *Client) User() any { return c.user }

// User returns what the server's authentication hook returned for c's connection, if it is a T.
func User[T any](c *Client) (T, bool) {
	v, ok := c.user.(T)
	return v, ok
}

// Channel returns the number that stands for this membership in the frames of its connection. Any goroutine.
func (c *Client) Channel() uint32 { return c.channel }

// Acknowledged returns the last tick that the client says it has processed, 0 before the first. Any goroutine.
func (c *Client) Acknowledged() uint64 { return c.heard.Load() }

// Connected reports whether the client has a connection: false from the game's Dropped on until its Resumed or Leave.
func (c *Client) Connected() bool { return !c.away }

// Seq returns the sequence number of the last packet of this client that the room has processed. During a handler it is
// that packet's own.
func (c *Client) Seq() uint64 { return c.applied }

// Others is the audience of everyone in the room but this client.
func (c *Client) Others() Others { return Others{c} }

// Options decodes what the client sent with its join into a T. The zero T comes back if it sent nothing. A handler of
// joins may return the error as it is: the client is told which field does not fit.
//
// It is for the game's Join: once that has returned, the options are forgotten.
func Options[T any](c *Client) (T, error) {
	if c.rare == nil {
		return decodeOptions[T](nil)
	}
	return decodeOptions[T](c.rare.options)
}

func decodeOptions[T any](b []byte) (v T, err error) {
	if len(b) == 0 || (len(b) == 1 && b[0] == 0xc0) {
		return v, nil
	}
	err = codec.Unmarshal(b, &v)
	return v, err
}

// Kick removes the client. It still gets what was emitted to it before, and then the reason, with codec.Kicked. The
// game's Leave runs once the current callback has returned.
func (c *Client) Kick(reason string) {
	c.room.mustOwn("Kick")
	c.room.drop(c, codec.Errorf(codec.Kicked, "%s", reason))
}

// Leave tells the room that the client wants to go: its own wish, or its connection is closed. Any goroutine.
//
// For servers, not for games.
func (c *Client) Leave(why *codec.Error) {
	c.room.receive(item{kind: itemLeave, client: c, why: why}, nil)
}

// Receive gives the room a frame of the client's: packets, the first of which has number seq, and the last tick that the
// client has processed. The packets are copied. Packets that came before are passed over. The error, if any, is the
// connection's end. One goroutine at a time, any goroutine.
//
// For servers, not for games.
func (c *Client) Receive(seq, tick uint64, packets []codec.Packet) error {
	c.hear(tick)
	if len(packets) == 0 {
		return nil
	}
	return c.room.input(c, seq, packets)
}

// hear notes that the client has processed a tick. Any goroutine: a connection that has been replaced may still bring frames.
func (c *Client) hear(tick uint64) {
	for {
		old := c.heard.Load()
		if tick <= old || c.heard.CompareAndSwap(old, tick) {
			return
		}
	}
}

// Drained tells the room that the connection has no unsent bytes any more. Any goroutine.
//
// For servers, not for games.
func (c *Client) Drained() {
	if c.room.kind.cfg.Rate == 0 {
		c.room.wake(false)
	}
}
