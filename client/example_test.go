package client_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/volley-go/volley/client"
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

// A bot follows the ball for as long as its room lasts, through lost connections and restarted servers.
func Example_bot() {
	ctx := context.Background()
	c, err := client.Dial(ctx, "tcp://127.0.0.1:8081", client.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	c.OnState(func(s client.State) { log.Println(s.Phase, s.Err) })
	r, err := c.JoinOrCreate(ctx, "pong", nil, func(r *client.Room) {
		client.On(r, state, func(s State, _ client.Meta) {
			_ = client.Emit(r, move, Move{DY: s.Ball[1] - s.Paddle[0]}) // r.Err says what is wrong, if something is
		})
		r.OnRejoin(func(int) { log.Println("client", r.ClientID(), "of room", r.ID()) })
	})
	if err != nil {
		log.Fatal(err)
	}
	<-r.Done()
	fmt.Println(r.Err())
}

// A test wants to hear of a lost connection instead of having it made again.
func ExampleReconnect() {
	c, err := client.Dial(context.Background(), "ws://127.0.0.1:8080/volley", client.Config{
		Reconnect: client.Reconnect{Off: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	<-c.Done()
	fmt.Println(c.Err())
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
