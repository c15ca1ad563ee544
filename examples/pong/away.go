package main

import "github.com/volley-go/volley/room"

// A player whose connection is lost keeps the seat for a while (see newKind), and the bot plays meanwhile: the match goes on for
// who is still there, and is not lost for who comes back.

// Dropped is told by the room.
func (p *pong) Dropped(c *room.Client) { p.away(c, true) }

// Resumed is told by the room. What was sent meanwhile comes by itself.
func (p *pong) Resumed(c *room.Client) { p.away(c, false) }

func (p *pong) away(c *room.Client, away bool) {
	if seat := p.seatOf(c); seat >= 0 {
		p.table.Away[seat] = away
		p.aims[seat] = p.Paddles[seat]
		p.changed()
	}
}

// Resync tells a client anew what it needs that was away, or slow, for longer than the room remembers. The state comes each tick.
func (p *pong) Resync(c *room.Client) {
	room.Emit(c, seated, p.seatOf(c))
	room.Emit(c, table, p.table)
}
