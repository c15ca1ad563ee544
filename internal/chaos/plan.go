package main

import (
	"fmt"
	"time"

	"github.com/volley-go/volley/internal/faults"
)

// config is what a run is to do.
type config struct {
	clients, rooms int
	events         int // in all
	seed           uint64
	pace           int           // packets that a client sends in a second, about
	life           time.Duration // of a connection, on average; 0: no cuts
	mix            faults.Mix
	timeout        time.Duration
	patience       time.Duration // for a time in which nothing arrives
	dump           func()        // called when that has run out; nil: nothing is
	grace          time.Duration // as room.Config.Grace
	also           func() error  // what is to be said of the network afterwards; nil: nothing
	host           string        // where the server listens
	listen         listener      // nil: net.Listen
}

func defaults() config {
	return config{
		clients: 200, rooms: 20, events: 1_000_000, seed: 1, pace: 40, life: 750 * time.Millisecond, host: "127.0.0.1",
		timeout: 10 * time.Minute, patience: 30 * time.Second,
		mix: faults.Mix{Delay: 10 * time.Millisecond, Rate: 64 << 10, Slice: 200},
	}
}

// each says how many numbers one client sends and is sent, in each stream.
type each struct {
	says  int // events, client to room
	shout int // of them, those that the room tells everyone in it
	calls int // requests, client to room, and replies
	tells int // events, room to this client
	asks  int // requests, room to this client, and replies
}

// shares divides the events that are due to and from one client, in a room of size clients: half of them each way.
func shares(events, size int) (each, error) {
	e := each{calls: events / 20, asks: events / 20, shout: events / 5 / size}
	e.tells = events/2 - e.calls - e.asks - e.shout*size
	e.says = events - e.tells - 2*e.calls - 2*e.asks - e.shout*size
	if e.shout < 1 || e.calls < 1 {
		return e, fmt.Errorf("%d events for a client in a room of %d are too few: let it be %d or more", events, size, max(20, 5*size))
	}
	return e, nil
}

// shares are those of every client; the first takes what cannot be divided.
func (c *config) shares() ([]each, error) {
	if c.rooms < 1 || c.clients < c.rooms || c.clients%c.rooms != 0 {
		return nil, fmt.Errorf("%d clients cannot be divided among %d rooms; let one be a multiple of the other", c.clients, c.rooms)
	}
	all := make([]each, c.clients)
	for i := range all {
		e, err := shares(c.events/c.clients, c.clients/c.rooms)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			e.says += c.events % c.clients
		}
		all[i] = e
	}
	return all, nil
}
