package main

import (
	"time"

	"github.com/volley-go/volley/room"
)

// The court is 160 by 90 units, its origin top left. Seat 0 plays on the left, seat 1 on the right. web/court.js has the same
// numbers for the browser.
const (
	rate          = 60 // ticks a second
	width, height = 160, 90
	paddleX       = 5   // distance of a paddle's face from its wall
	reach         = 9   // half a paddle's length
	radius        = 1.6 // of the ball
	paddleSpeed   = 110 // units a second, as for all speeds
	firstSpeed    = 75  // of the ball along the court
	fastest       = 190
	goals         = 7 // to win

	botWaits  = 3 * time.Second
	grace     = 10 * time.Second // for which a lost connection keeps its seat
	pause     = 3 * rate / 2     // ticks before a match's first serve
	afterGoal = 9 * rate / 10    // and before the others
)

// What clients send.
const (
	aim     room.Event[float32] = "aim"     // where the paddle's middle should go, as y
	rematch room.Event[bool]    = "rematch" // after a match: again
)

// What clients get.
const (
	seated room.Event[int]   = "seated" // to one: your seat; -1: you watch
	table  room.Event[Table] = "table"  // to all, when it changes
	state  room.Event[State] = "state"  // to all, each tick; only the newest counts
	bounce room.Event[int]   = "bounce" // to all: the ball met a wall (-1) or the paddle of a seat
)

// Options come with a join.
type Options struct{ Name string }

// State is what moves.
type State struct {
	_msgpack struct{}   `msgpack:",as_array"`
	X, Y     float32    // the ball
	Paddles  [2]float32 // the y of their middles
}

// Table is what stands on the scoreboard.
type Table struct {
	Names  [2]string // empty: the seat is free
	Bots   [2]bool
	Away   [2]bool // whose connection is lost: the bot plays for them
	Score  [2]int
	Winner int    // of the match that is over; -1: it is not
	Serve  uint64 // the tick in which the ball flies
	Watch  int    // how many look on
}
