package main

import (
	"time"

	"github.com/volley-go/volley/room"
)

const (
	boardRate = 2               // samples a second
	span      = 2 * time.Minute // how much of the past a newcomer is told
)

// What pages get. A change is reliable, so that charts have no holes after a lost connection; of a counter and of the demo's
// state only the newest counts.
const (
	history room.Event[History] = "history" // to a newcomer, before anything else
	change  room.Event[Change]  = "change"  // to all: what is other than in the sample before
	count   room.Event[Count]   = "count"   // to all: a counter that has grown
	demo    room.Event[Demo]    = "demo"    // to all: what was asked of the demo
)

// What pages send.
const (
	ask     room.Event[Ask]    = "ask"     // of the demo: so many rooms and bots
	disturb room.Event[string] = "disturb" // a disturbance, by name
)

// History is what a newcomer needs.
type History struct {
	Period  int64 // ms between two samples
	Span    int64 // ms of the past
	Started int64 // when the server did, in Unix ms
	Go      string
	Cores   int
	Changes []Change // the first is a whole picture
}

// Change is a sample, as far as it differs from the one before.
type Change struct {
	At     int64 // Unix ms
	Since  int64 // when the one before was taken, which may have had no news
	Values map[string]*float64
}

// Ask is how much of the demo somebody wants to see.
type Ask struct{ Rooms, Bots int }

// Demo is what it was asked for, and what more pages need to know of it.
type Demo struct {
	Rooms, Bots       int
	MaxRooms, MaxBots int
	Watch             string // the id of a room to look at; empty: there is none
}
