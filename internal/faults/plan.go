package faults

import (
	"math/rand/v2"
	"time"
)

// Direction is whose bytes are meant.
type Direction uint8

// The directions of a connection.
const (
	Up   Direction = iota // from the client to the server
	Down                  // from the server to the client
)

// How is the way in which a connection is cut.
type How uint8

// The ways.
const (
	Whole     How = iota // it is not
	End                  // both sides find the end of the stream
	Reset                // both sides find a reset
	HalfClose            // who hears finds the end of the stream, while what it says goes on arriving, for Linger; then End
	LoseUp               // the client finds a reset; the server hears nothing any more, and after Linger a reset
	LoseDown             // the other way round
	Hows
)

func (h How) String() string {
	return [...]string{"whole", "end", "reset", "half-close", "lose-up", "lose-down"}[h]
}

// Plan is what happens to one connection. The zero Plan passes everything on at once.
type Plan struct {
	// How the connection is cut: once After has passed since it began, when exactly Bytes more have passed in direction Dir; but
	// at the latest after the time By, for connections on which nothing moves.
	How    How
	Dir    Direction
	After  time.Duration
	Bytes  int
	By     time.Duration
	Linger time.Duration

	// Delay is how long each piece is held back, at most; each one waits for the one before. 0: not at all.
	Delay time.Duration
	// Rate is how many bytes a second pass in each direction. 0: no limit.
	Rate int
	// Slice is how many bytes of each direction, from the beginning, pass as writes of a single byte. Negative: all.
	Slice int
	// Freeze is when, since it began, nothing is read of direction Down, for the time FreezeFor. 0 for FreezeFor: never.
	Freeze, FreezeFor time.Duration

	seed uint64 // for the delays
}

// Mix says what plans are drawn from. The zero Mix is without faults.
type Mix struct {
	// Life is the mean time until a connection is cut, with an exponential distribution: a cut may also come in the
	// handshake. 0: connections are not cut.
	Life time.Duration
	// Reach is how many bytes more pass, up to that, so that no byte is a likelier place than another. 0: 2,048.
	Reach int
	// Linger is Plan.Linger. 0: 200 ms.
	Linger time.Duration

	// Delays, throttles and slices each come to one connection in Rarely. 0: 4.
	Rarely int
	// Delay and Rate are theirs; 0: none. Slice is the most bytes that are passed singly; 0: none.
	Delay time.Duration
	Rate  int
	Slice int
	// Freeze is for how long, at most, one connection in Rarely is not read. 0: none is.
	Freeze time.Duration
}

// Plan draws the plan of connection n of a proxy with that seed. The same arguments give the same plan.
func (m Mix) Plan(seed uint64, n int) Plan {
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	rarely := m.Rarely
	if rarely == 0 {
		rarely = 4
	}
	p := Plan{seed: rng.Uint64()}
	// Every number is drawn, needed or not, so that a Mix that differs in one fault leaves the others as they were.
	life, reach := rng.ExpFloat64(), rng.IntN(max(1, m.reach()))
	how, dir := How(1+rng.IntN(int(Hows)-1)), Direction(rng.IntN(2))
	slow, narrow, sliced, frozen := rng.IntN(rarely) == 0, rng.IntN(rarely) == 0, rng.IntN(rarely) == 0, rng.IntN(rarely) == 0
	share := rng.Float64()
	if m.Life > 0 {
		p.How, p.Dir, p.Bytes = how, dir, reach
		p.After, p.By = time.Duration(life*float64(m.Life)), 200*time.Millisecond
		if p.Linger = m.Linger; p.Linger == 0 {
			p.Linger = 200 * time.Millisecond
		}
	}
	if slow {
		p.Delay = m.Delay
	}
	if narrow {
		p.Rate = m.Rate
	}
	if sliced {
		p.Slice = int(share * float64(m.Slice))
	}
	if frozen && m.Freeze > 0 {
		p.Freeze, p.FreezeFor = p.After/2, time.Duration(share*float64(m.Freeze))
	}
	return p
}

func (m Mix) reach() int {
	if m.Reach == 0 {
		return 2048
	}
	return m.Reach
}
