package room

import (
	"sync/atomic"

	"github.com/volley-go/volley/codec"
)

// Client is one connection's membership of a room. Its methods belong in the room's callbacks, but for those that say
// otherwise.
type Client struct {
	// Static after construction.
	room    *Room
	link    Link
	user    any
	options []byte // the JOIN's options: one checked msgpack value
	channel uint32
	id      uint32 // never 0

	// Guarded by the room's inbox.mu.
	next  uint64 // the sequence number that its next packet must have
	waits int32  // what its packets in the inbox cost
	turn  uint32 // the inbox's turn that waits and requests are about

	requests int32 // of it in the inbox
	left     bool  // its leave has been taken

	// Owned by the room's owner.
	state             clientState
	lagging           bool   // cursor is valid; otherwise the client has everything before the current tick
	fallen            bool   // off the log: its connection is closed, its leave is on the way
	unacked           bool   // it is among the room's clients whose packets are to be acknowledged
	lastAsk           uint32 // the id of the last request to it
	firstRef, lastRef uint32 // what is for it in this tick: places in log.refs, plus one; 0: nothing
	cursor            uint64 // the number of the next segment to hand over
	applied           uint64 // its last packet that the room has processed
	acked             uint64 // what the client was told of that
	noticed           uint64 // the tick that notices is about
	notices           uint32 // NOTICEs it was due in it
	served            uint64 // the last tick in which it was brought up to date
	asks              map[uint32]*ask

	heard atomic.Uint64 // the last tick that the client says it has processed
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

// User returns what the server's authentication hook returned for this connection; nil without a hook. Any goroutine.
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

// Seq returns the sequence number of the last packet of this client that the room has processed. During a handler it is
// that packet's own.
func (c *Client) Seq() uint64 { return c.applied }

// Others is the audience of everyone in the room but this client.
func (c *Client) Others() Others { return Others{c} }

// Options decodes what the client sent with its join into a T. The zero T comes back if it sent nothing. A handler of
// joins may return the error as it is: the client is told which field does not fit.
//
// It is for the game's Join: once that has returned, the options are forgotten.
func Options[T any](c *Client) (T, error) { return decodeOptions[T](c.options) }

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
	if tick > c.heard.Load() {
		c.heard.Store(tick)
	}
	if len(packets) == 0 {
		return nil
	}
	return c.room.input(c, seq, packets)
}

// Drained tells the room that the connection has no unsent bytes any more. Any goroutine.
//
// For servers, not for games.
func (c *Client) Drained() {
	if c.room.kind.cfg.Rate == 0 {
		c.room.wake(false)
	}
}
