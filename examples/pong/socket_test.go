package main

import (
	"context"
	"testing"

	"github.com/volley-go/volley/client"
)

// TestOverSockets plays with the Go client: the same program, the same wire, no browser.
func TestOverSockets(t *testing.T) {
	addr, _ := serve(t, "127.0.0.1:0")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	type player struct {
		room   *client.Room
		seats  *client.Inbox[int]
		tables *client.Inbox[Table]
		states *client.Inbox[State]
	}
	join := func(name string) (p player) {
		c, err := client.Dial(ctx, "ws://"+addr+"/volley", client.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		p.room, err = c.JoinOrCreate(ctx, "pong", Options{Name: name}, func(r *client.Room) {
			p.seats, p.tables, p.states = client.Collect(r, seated), client.Collect(r, table), client.Collect(r, state)
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	wait := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}

	ann, ben := join("Ann"), join("Ben")
	for seat, p := range []player{ann, ben} {
		seats, err := p.seats.Wait(ctx, 1)
		wait("a seat", err)
		if seats[0] != seat || p.room.ID() != ann.room.ID() {
			t.Errorf("seat %d of room %s; want %d of %s", seats[0], p.room.ID(), seat, ann.room.ID())
		}
	}
	tables, err := ben.tables.Wait(ctx, 1)
	wait("a table", err)
	if tables[0].Names != [2]string{"Ann", "Ben"} {
		t.Errorf("the names are %q", tables[0].Names)
	}

	wait("aim", client.Emit(ann.room, aim, float32(reach)))
	for n := 1; ; n++ { // Ben sees Ann's paddle go to where she wants it
		states, err := ben.states.Wait(ctx, n)
		wait("Ann's paddle", err)
		if states[n-1].Paddles[0] == reach {
			break
		}
	}
}
