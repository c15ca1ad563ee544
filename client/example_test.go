package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

type Move struct{ DY float32 }

type State struct{ Ball, Paddle [2]float32 }

const (
	move  room.Event[Move]           = "move"
	state room.Event[State]          = "state"
	score room.Call[string, float64] = "score"
)

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, "ws://127.0.0.1:8080/volley", client.Config{Auth: "token"})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	options := map[string]string{"Name": "Ann"}
	r, err := c.JoinOrCreate(ctx, "pong", options, func(r *client.Room) {
		client.On(r, state, func(s State, m client.Meta) { fmt.Println("tick", m.Tick, "ball", s.Ball) })
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Emit(r, move, Move{DY: 1}); err != nil {
		log.Fatal(err)
	}
	points, err := client.Request(ctx, r, score, "Ann")
	fmt.Println(points, err)
}

// A bot follows the ball until its connection ends, and comes back as the server says.
func Example_bot() {
	play := func(ctx context.Context) error {
		c, err := client.Dial(ctx, "tcp://127.0.0.1:8081", client.Config{})
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.JoinOrCreate(ctx, "pong", nil, func(r *client.Room) {
			client.On(r, state, func(s State, _ client.Meta) {
				_ = client.Emit(r, move, Move{DY: s.Ball[1] - s.Paddle[0]}) // c.Err says what is wrong, if something is
			})
			r.OnLeft(func(codec.Code, string) { _ = c.Close() })
		})
		if err != nil {
			return err
		}
		<-c.Done()
		return c.Err()
	}
	for {
		err := play(context.Background())
		var end *client.CloseError
		if errors.As(err, &end) && end.Code.Reconnect() == codec.Never {
			log.Fatal(err)
		}
		time.Sleep(5 * time.Second)
	}
}

// ExampleCollect is how a test waits for events.
func ExampleCollect() {
	test := func(ctx context.Context, c *client.Client) error {
		var states *client.Inbox[State]
		_, err := c.Create(ctx, "pong", nil, func(r *client.Room) { states = client.Collect(r, state) })
		if err != nil {
			return err
		}
		first, err := states.Wait(ctx, 3) // the first three
		fmt.Println(first)
		return err
	}
	_ = test
}
