package main

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/volley-go/volley/room/roomtest"
)

// match plays Ann, who aims as she likes, against the bot. It returns the final score and how long it took.
func match(t *testing.T, seed uint64, aim func(g *pong) float32) (score [2]int, took time.Duration) {
	t.Helper()
	b := newBench(t, seed)
	ann := b.join("Ann")
	b.until(20*time.Minute, "the end of the match", func() bool {
		b.fair()
		ann.Emit("aim", aim(b.game))
		ann.Forget()
		return b.game.table.Winner >= 0
	})
	return b.game.table.Score, b.Now()
}

func TestTheBotBeatsWhoSleeps(t *testing.T) {
	for seed := range uint64(5) {
		score, took := match(t, seed+1, func(*pong) float32 { return reach })
		if score[1] != goals || took > 3*time.Minute {
			t.Errorf("seed %d: %v after %v", seed+1, score, took)
		}
	}
}

// TestTheBotIsBeatableButNotSilly plays people of several abilities: each follows the ball some ticks late and meets it
// somewhere on the paddle, now here, now there.
func TestTheBotIsBeatableButNotSilly(t *testing.T) {
	for _, human := range []struct {
		what        string
		late        int     // ticks
		beside      float32 // how far from the paddle's middle they meet the ball, at most
		least, most float32 // goals for each that they get
	}{
		{"good", 3, 0.8 * reach, 2.5, 100},
		{"fair", 8, 0.8 * reach, 0.5, 3},
		{"poor", 14, reach, 0.1, 0.8},
	} {
		var goals [2]int
		for seed := range uint64(10) {
			var seen []float32
			rnd := rand.New(rand.NewPCG(seed, 2))
			beside := float32(0)
			score, took := match(t, seed+1, func(g *pong) float32 {
				if g.room.Tick()%40 == 0 {
					beside = (2*rnd.Float32() - 1) * human.beside
				}
				seen = append(seen, g.Y)
				return seen[max(0, len(seen)-1-human.late)] + beside
			})
			goals[0], goals[1] = goals[0]+score[0], goals[1]+score[1]
			if took > 10*time.Minute {
				t.Errorf("%s: a match of %v", human.what, took)
			}
		}
		t.Logf("%s: %d goals for, %d against", human.what, goals[0], goals[1])
		if ratio := float32(goals[0]) / float32(goals[1]); ratio < human.least || ratio > human.most {
			t.Errorf("%s: %d goals for, %d against; want from %v to %v for each", human.what, goals[0], goals[1], human.least, human.most)
		}
	}
}

func TestTheSameSeedIsTheSameMatch(t *testing.T) {
	play := func(seed uint64) []State {
		b := newBench(t, seed)
		ann := b.join("Ann")
		for i := range 60 * rate {
			ann.Emit("aim", float32(i%height))
			b.step()
		}
		return roomtest.All[State](ann, "state")
	}
	first, again, other := play(7), play(7), play(8)
	if !slices.Equal(first, again) {
		t.Error("two rooms with seed 7 differ")
	}
	if slices.Equal(first, other) {
		t.Error("seeds 7 and 8 give the same match")
	}
}

// TestWhateverHappens lets people come, go, aim and ask for rematches at random, and looks after every tick whether all is fair.
func TestWhateverHappens(t *testing.T) {
	for seed := range uint64(8) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		b := newBench(t, seed+1)
		people, known := []*roomtest.Player{b.join("Ann")}, map[*roomtest.Player]*told{}
		for range 60 * rate {
			switch p := people[rnd.IntN(len(people))]; rnd.IntN(300) {
			case 0:
				if len(people) < 6 {
					people = append(people, b.join("Ben"))
				}
			case 1:
				if len(people) > 1 {
					p.Leave()
					people = slices.DeleteFunc(people, func(o *roomtest.Player) bool { return o == p })
				}
			case 2:
				p.Emit("rematch", rnd.IntN(2) == 0)
			default:
				p.Emit("aim", float32(rnd.NormFloat64()*height))
			}
			b.step()
			b.fair()
			b.orderly(people, known)
		}
	}
}

// orderly fails the test if the seats, the table and what people were told of them do not agree.
func (b *bench) orderly(people []*roomtest.Player, known map[*roomtest.Player]*told) {
	b.t.Helper()
	g, humans := b.game, 0
	for seat, owner := range g.players {
		switch {
		case owner != nil && (g.table.Bots[seat] || g.table.Names[seat] == ""):
			b.t.Fatalf("seat %d is a human's: %+v", seat, g.table)
		case owner == nil && g.table.Bots[seat] != (g.table.Names[seat] != ""):
			b.t.Fatalf("seat %d is no human's: %+v", seat, g.table)
		case owner != nil:
			humans++
		}
	}
	if want := min(2, len(people)); humans != want {
		b.t.Fatalf("%d humans have seats; there are %d people", humans, len(people))
	}
	for _, p := range people {
		if known[p] == nil {
			known[p] = &told{}
		}
		know := known[p]
		for _, packet := range p.Packets() {
			switch packet.Event {
			case "seated":
				know.seat = roomtest.Decode[int](p, packet.Payload)
			case "table":
				know.table = roomtest.Decode[Table](p, packet.Payload)
			}
		}
		p.Forget()
		if want := (told{g.seatOf(p.Client), g.table}); *know != want {
			b.t.Fatalf("somebody was told %+v; it is %+v", *know, want)
		}
	}
}

// told is what somebody was told last.
type told struct {
	seat  int
	table Table
}
