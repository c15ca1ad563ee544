package roomtest_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
	"github.com/volley-go/volley/tick"
)

type Move struct{ DY float32 }

type State struct{ Ball, Paddle [2]float32 }

const (
	move  room.Event[Move]  = "move"  // from clients
	seat  room.Event[int]   = "seat"  // to the newcomer
	state room.Event[State] = "state" // to everyone, each tick
)

type pong struct {
	room *room.Room
	State
}

func newPong(r *room.Room) *pong { return &pong{room: r} }

func (p *pong) Join(c *room.Client) error {
	room.Emit(c, seat, len(p.room.Clients()))
	return nil
}
func (p *pong) Leave(c *room.Client)        {}
func (p *pong) Move(c *room.Client, m Move) { p.Paddle[0] += m.DY }
func (p *pong) Tick(t tick.Tick)            { room.Emit(p.room, state, p.State) }

func definePong() *room.Kind[*pong] {
	pongKind := room.Define("pong", newPong, room.Config{Rate: 60, Capacity: 2})
	room.On(pongKind, move, (*pong).Move)
	return pongKind
}

func TestPong(t *testing.T) {
	bed := roomtest.New(t, definePong())
	ann, bob := bed.Join("pong", nil), bed.Join("pong", nil)
	if got := roomtest.Last[int](bob, "seat"); got != 2 {
		t.Errorf("bob sits on seat %d", got)
	}
	ann.Forget()
	ann.Emit("move", Move{DY: 1.5})
	bed.Run(time.Second)
	if got := len(roomtest.All[State](ann, "state")); got != 60 {
		t.Errorf("%d states in a second", got)
	}
	if got := roomtest.Last[State](bob, "state").Paddle[0]; got != 1.5 {
		t.Errorf("the paddle is at %v", got)
	}
	if third := bed.Join("pong", nil); third.Client.Room() == ann.Client.Room() {
		t.Error("three in a room for two")
	}
	ann.Leave()
	bed.Run(time.Second)
	if ann.Left == nil || bob.Left != nil {
		t.Errorf("ann left: %v, bob left: %v", ann.Left, bob.Left)
	}
	bed.Close(nil)
	if bob.Left == nil {
		t.Error("bob is in a room that closed")
	}
}

func Example() {
	var t reader // in a test of yours, its *testing.T
	defer t.end()
	bed := roomtest.New(&t, definePong())
	ann := bed.Join("pong", nil)
	ann.Emit("move", Move{DY: 1.5})
	bed.Run(time.Second) // sixty ticks, in microseconds
	fmt.Println("seat", roomtest.Last[int](ann, "seat"))
	fmt.Println("paddle", roomtest.Last[State](ann, "state").Paddle[0])
	// Output:
	// seat 1
	// paddle 1.5
}

// reader is as much of a testing.TB as the example needs.
type reader struct {
	testing.TB
	cleanups []func()
}

func (*reader) Helper()                           {}
func (*reader) Output() io.Writer                 { return io.Discard }
func (r *reader) Cleanup(f func())                { r.cleanups = append(r.cleanups, f) }
func (*reader) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (r *reader) end() {
	for _, f := range r.cleanups {
		f()
	}
}
