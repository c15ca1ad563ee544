package main

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/room"
)

// bot is somebody in a room, for whom no human is needed.
type bot interface {
	Done() <-chan struct{} // closed when it is not in the room any more
	Close() error
}

// flying is a bot over a socket of its own, as any client.
type flying struct {
	*client.Client
	room *client.Room
}

func (f flying) Done() <-chan struct{} { return f.room.Done() }

// steerEvery is after how many states a bot has another wish.
const steerEvery = 4

// letIn connects a bot to a server and joins the swarm with that id.
func letIn(ctx context.Context, url, id string) (bot, error) {
	c, err := client.Dial(ctx, url, client.Config{Reconnect: client.Reconnect{Off: true}}) // the crowd sends another one
	if err != nil {
		return nil, err
	}
	seen, dir := rand.IntN(steerEvery), rand.Float64()*2*math.Pi
	r, err := c.JoinByID(ctx, id, Guest{}, func(r *client.Room) {
		client.On(r, dots, func([]Dot, client.Meta) {
			if seen++; seen%steerEvery == 0 {
				dir += rand.NormFloat64() * 0.6
				_ = client.Emit(r, steer, float32(dir)) // if it cannot be sent, the bot is about to end
			}
		})
	})
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return flying{c, r}, nil
}

// misbehave connects, joins, and sends what the game cannot read; the server closes such a connection.
func misbehave(ctx context.Context, url, id string) error {
	c, err := client.Dial(ctx, url, client.Config{Reconnect: client.Reconnect{Off: true}})
	if err != nil {
		return err
	}
	defer c.Close()
	r, err := c.JoinByID(ctx, id, Guest{Watch: true})
	if err != nil {
		return err
	}
	if err := client.Emit(r, room.Event[string](steer), "north"); err != nil {
		return err
	}
	select {
	case <-c.Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
