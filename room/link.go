package room

import "github.com/volley-go/volley/codec"

// Link is what a room needs of the connection behind its clients; a session implements it. One Link may carry several
// clients, of different rooms, told apart by their channels. A room calls it from its owner, so different rooms may
// call at the same time.
//
// For servers, not for games.
type Link interface {
	// Send writes one frame, buf[head:], at once or as soon as the connection can. At least Headroom bytes in front of
	// head are the Link's to write a transport's header into. The slice is the caller's again when Send returns. An
	// error means that the connection is gone; the room will hear of it as a leave.
	Send(buf []byte, head int) error
	// Pending returns how many bytes of earlier frames have not left yet. While it is not 0 the room keeps back.
	Pending() int
	// Joined says that the join on c's channel succeeded. Frames follow.
	Joined(c *Client, tick uint64)
	// Resumed says that the membership on the channel goes on over this connection, and which of the client's packets was the
	// last to arrive.
	Resumed(channel uint32, seq uint64)
	// Resync says that what the client knows of the room from before that tick is void.
	Resync(channel uint32, tick uint64)
	// Left says that the membership on the channel has ended, or that its join was refused. Nothing follows on it.
	Left(channel uint32, why *codec.Error)
	// Dropped says that packet seq of the client on the channel was dropped.
	Dropped(channel uint32, seq uint64, why *codec.Error)
	// Fail closes the connection. The Link then says by Client.Drop or Client.Leave what becomes of its clients.
	Fail(why *codec.Error)
}

// Headroom is how many bytes a room leaves free in front of each frame.
const Headroom = 16
