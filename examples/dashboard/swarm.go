package main

import (
	"math"

	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// The demo's game: dots that fly about in a square, each steered by a bot.
const (
	swarmRate = 20  // ticks a second
	field     = 100 // the length of the square's side
	dotSpeed  = 14  // a second
	agility   = 2.5 // radians a second

	lonely = 30 * swarmRate // ticks for which a room waits for its first bot
)

const (
	steer room.Event[float32] = "steer" // from bots: the direction in which to fly, in radians
	dots  room.Event[[]Dot]   = "dots"  // to everyone, each tick
)

// Guest comes with a join.
type Guest struct{ Watch bool } // it has no dot

// Dot is where one is.
type Dot struct {
	_msgpack struct{} `msgpack:",as_array"`
	X, Y     float32
}

// swarm is one room of them.
type swarm struct {
	room   *room.Room
	flyers []*flyer // in the order in which they came
	list   []Dot    // reused
}

type flyer struct {
	client    *room.Client
	x, y      float64
	dir, want float64
}

// newSwarms makes the kind. Its rooms are made by the server, and nobody is led there by chance.
func newSwarms() *room.Kind[*swarm] {
	kind := room.Define("swarm", func(r *room.Room) *swarm { return &swarm{room: r} },
		room.Config{Rate: swarmRate, ServerCreates: true, Private: true, Grace: -1})
	room.On(kind, steer, (*swarm).Steer)
	return kind
}

// Join gives a bot its dot.
func (s *swarm) Join(c *room.Client) error {
	g, err := room.Options[Guest](c)
	if err != nil || g.Watch {
		return err
	}
	random := s.room.Rand()
	dir := random.Float64() * 2 * math.Pi
	s.flyers = append(s.flyers, &flyer{c, random.Float64() * field, random.Float64() * field, dir, dir})
	return nil
}

// Leave takes it away. A room in which nobody flies any more is over, whoever looks on.
func (s *swarm) Leave(c *room.Client) {
	for i, f := range s.flyers {
		if f.client == c {
			s.flyers = append(s.flyers[:i], s.flyers[i+1:]...)
			if len(s.flyers) == 0 {
				s.room.Close("the bots have gone")
			}
			return
		}
	}
}

// Steer is a bot's wish.
func (s *swarm) Steer(c *room.Client, dir float32) {
	for _, f := range s.flyers {
		if f.client == c {
			f.want = float64(dir)
		}
	}
}

// Tick moves all dots.
func (s *swarm) Tick(t tick.Tick) {
	s.list = s.list[:0]
	for _, f := range s.flyers {
		f.fly(t.Seconds())
		s.list = append(s.list, Dot{X: float32(f.x), Y: float32(f.y)})
	}
	room.EmitLatest(s.room, dots, 0, s.list)
	if len(s.flyers) == 0 && s.room.Tick() > lonely {
		s.room.Close("no bot came")
	}
}

// fly moves one, which turns as fast as it can. Walls throw it back.
func (f *flyer) fly(dt float64) {
	turn := math.Remainder(f.want-f.dir, 2*math.Pi)
	f.dir += max(-agility*dt, min(agility*dt, turn))
	x, y := f.x+math.Cos(f.dir)*dotSpeed*dt, f.y+math.Sin(f.dir)*dotSpeed*dt
	f.x, f.y = max(0, min(field, x)), max(0, min(field, y))
	if x != f.x {
		f.dir = math.Pi - f.dir
		f.want = f.dir
	}
	if y != f.y {
		f.dir = -f.dir
		f.want = f.dir
	}
}
