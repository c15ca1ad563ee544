package main

import (
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// Line is what somebody has said. Who that is says the server.
type Line struct{ From, Text string }

const (
	say  room.Event[string] = "say"  // from a client
	said room.Event[Line]   = "said" // to everyone

	longest = 500 // bytes
)

// hall is a chat of people whose names are known.
type hall struct {
	room *room.Room
	ends map[*room.Client]*room.Timer // of their logins
}

func newKind() *room.Kind[*hall] {
	kind := room.Define("hall", func(r *room.Room) *hall { return &hall{r, map[*room.Client]*room.Timer{}} }, room.Config{})
	room.On(kind, say, (*hall).Say)
	return kind
}

// Join lets everybody in who got this far, until the login ends.
func (h *hall) Join(c *room.Client) error {
	u, ok := room.User[user](c)
	if !ok {
		return codec.Errorf(codec.JoinRefused, "who are you?") // a server without Auth
	}
	h.ends[c] = h.room.After(time.Until(u.Expires), func() { c.Kick("the login has expired; log in again") })
	room.Emit(c.Others(), said, Line{Text: u.Name + " comes in"})
	room.Emit(c, said, Line{Text: "welcome, " + u.Name})
	return nil
}

// Leave tells the others.
func (h *hall) Leave(c *room.Client) {
	h.ends[c].Stop()
	delete(h.ends, c)
	u, _ := room.User[user](c)
	room.Emit(h.room, said, Line{Text: u.Name + " leaves"})
}

// Say passes a line on.
func (h *hall) Say(c *room.Client, text string) {
	u, _ := room.User[user](c)
	if text != "" && len(text) <= longest {
		room.Emit(h.room, said, Line{From: u.Name, Text: text})
	}
}
