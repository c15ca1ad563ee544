package room_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

const ms = time.Millisecond

// timed is a hall, a player in it, and a list of what happened when.
type timed struct {
	*set
	h      *hall
	began  time.Time
	events []string
}

func newTimed(t *testing.T, rate int) *timed {
	s := &timed{set: newSet(t, room.Config{Rate: rate}, nil)}
	s.Join("hall", nil)
	s.h = s.halls[0]
	return s
}

// note notes an event with the room's time since the timers were set, down to 50 ms.
func (s *timed) note(what string) {
	s.events = append(s.events, fmt.Sprintf("%s %v", what, s.h.room.Now().Sub(s.began).Truncate(50*ms)))
}

// start sets timers in the room and runs it for d.
func (s *timed) start(d time.Duration, set func(r *room.Room)) {
	s.h.room.Post(func() {
		s.began = s.h.room.Now()
		set(s.h.room)
	})
	s.Run(d)
}

func TestTimers(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newTimed(t, rate)
		s.start(second, func(r *room.Room) {
			r.After(300*ms, func() { s.note("c") })
			r.After(100*ms, func() { s.note("a") })
			r.After(100*ms, func() { s.note("b") })
			r.After(0, func() { s.note("now") })
			r.After(-second, func() { s.note("past") })
			stopped := r.After(200*ms, func() { s.note("never") })
			r.After(150*ms, func() { assert.True(t, stopped.Stop()); assert.False(t, stopped.Stop()) })
			r.After(400*ms, func() {
				r.After(0, func() { s.note("set within a timer") })
			})
		})
		// An event-driven room looks every 50 ms from the host's beginning, not from ours: up to one look later.
		require.Len(t, s.events, 6)
		assert.Equal(t, []string{"now 0s", "past 0s"}, s.events[:2])
		for i, want := range []string{"a 100ms", "b 100ms", "c 300ms", "set within a timer 450ms"} {
			assert.Equal(t, want, s.events[2+i])
		}
	})
}

func TestEvery(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newTimed(t, rate)
		count, fast := 0, 0
		s.start(2*second, func(r *room.Room) {
			var every *room.Timer
			every = r.Every(100*ms, func() {
				if count++; count == 5 {
					assert.True(t, every.Stop())
				}
			})
			r.Every(time.Nanosecond, func() { fast++ })
		})
		assert.Equal(t, 5, count)
		assert.InDelta(t, 40, fast, 2, "at most once a tick or a look")
		assert.PanicsWithValue(t, "room: Every needs a positive duration", func() { s.h.room.Every(0, nil) })
	})
}

func TestEveryDoesNotDrift(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newTimed(t, rate)
		count := 0
		s.start(70*second, func(r *room.Room) { r.Every(70*ms, func() { count++ }) })
		assert.InDelta(t, 1000, count, 2)
	})
}

// A long timer beside short ones was once kept anew by the keeper each time that a short one ran.
func TestTimersCostNoExtraSteps(t *testing.T) {
	s := newTimed(t, 0)
	var first, last uint64
	s.start(60*second, func(r *room.Room) {
		first = r.Tick()
		r.After(59*second, func() { last = r.Tick() })
		r.Every(second, func() {})
	})
	assert.InDelta(t, 60, last-first, 2, "one Step for each timer")
}

func TestTimerThatPanics(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate}, nil)
		ann := s.Join("hall", nil)
		r := s.halls[0].room
		r.Post(func() { r.After(100*ms, func() { panic("tick tock") }) })
		s.Run(second)
		require.NotNil(t, ann.Left)
		assert.Equal(t, codec.RoomFailed, ann.Left.Code)
		assert.False(t, s.halls[0].closed, "no callback of a failed game runs")
		assert.Empty(t, s.halls[0].leaves)
	})
}

func TestTimersStopWithTheRoom(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newTimed(t, rate)
		s.start(second, func(r *room.Room) {
			r.After(100*ms, func() { r.Close("done") })
			r.After(100*ms, func() { s.note("after Close") })
			r.After(500*ms, func() { s.note("long after Close") })
		})
		assert.Empty(t, s.events)
		assert.True(t, s.h.closed)
	})
}

func TestTimerThatKicksIsFollowedByLeave(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newTimed(t, rate)
		ann := s.Join("hall", nil)
		s.start(second, func(r *room.Room) {
			r.After(100*ms, func() { ann.Client.Kick("out") })
			r.After(100*ms, func() { assert.Equal(t, []uint32{2}, s.h.leaves, "before the next callback") })
		})
		assert.Equal(t, codec.Kicked, ann.Left.Code)
	})
}

func TestNowGoesByTheTicks(t *testing.T) {
	s := newSet(t, room.Config{Rate: 60}, nil)
	var times []time.Time
	var first tick.Tick
	s.Join("hall", nil)
	s.halls[0].onTick = func(tk tick.Tick) {
		if len(times) == 0 {
			first = tk
		}
		times = append(times, s.halls[0].room.Now())
	}
	s.Run(10 * second)
	require.Len(t, times, 600)
	assert.Equal(t, uint64(2), first.N)
	assert.InDelta(t, 599.0/60, times[599].Sub(times[0]).Seconds(), 1e-8)
}

func TestRandIsRepeatable(t *testing.T) {
	draw := func(seed uint64) (numbers []uint64) {
		s := newSet(t, room.Config{Seed: seed}, nil)
		s.Join("hall", nil)
		do(s.Bed, s.halls[0].room, func() {
			for range 5 {
				numbers = append(numbers, s.halls[0].room.Rand().Uint64N(math.MaxUint64))
			}
		})
		return numbers
	}
	assert.Equal(t, draw(7), draw(7))
	assert.NotEqual(t, draw(7), draw(8))
	assert.NotEqual(t, draw(0), draw(0))
}

func TestEmptyFor(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		for _, wait := range []time.Duration{0, 500 * ms, -1} {
			s := newSet(t, room.Config{Rate: rate, EmptyFor: wait}, nil)
			rooms := func() int { return s.Host.Stats().Rooms }
			ann := s.Join("hall", nil)
			ann.Leave()
			s.Run(300 * ms)
			if wait == 0 {
				assert.Zero(t, rooms())
				continue
			}
			assert.Equal(t, 1, rooms())
			bob := s.Join("hall", nil)
			assert.Len(t, s.halls, 1, "the empty room is used again")
			s.Run(second)
			assert.Equal(t, 1, rooms(), "and does not close under its new client")
			bob.Leave()
			s.Run(400 * ms)
			assert.Equal(t, 1, rooms())
			s.Run(200 * ms)
			assert.Equal(t, wait < 0, rooms() == 1)
			assert.Equal(t, wait > 0, s.halls[0].closed)
		}
	})
}
