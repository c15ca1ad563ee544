package room_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
)

func TestLeaveIsTakenOnce(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate, EmptyFor: -1}, nil)
		ann := s.Join("hall", nil)
		for range 1000 {
			ann.Client.Leave(nil)
		}
		ann.Emit("say", "too late")
		s.Run(second)
		assert.Equal(t, []uint32{1}, s.halls[0].leaves)
		ann.Client.Leave(nil)
		s.Run(second)
		assert.Equal(t, []uint32{1}, s.halls[0].leaves)
		assert.Empty(t, roomtest.All[string](ann, "said"))
	})
}

func TestEmitToWhoIsGone(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate, EmptyFor: -1}, func(h *hall) {
			h.onLeave = func(c *room.Client) {
				room.Emit(h.room, said, fmt.Sprintf("%d leaves", c.ID()))
				room.Emit(c.Others(), said, "without you")
			}
		})
		ann, bob := s.Join("hall", nil), s.Join("hall", nil)
		bob.Leave()
		s.Run(second)
		do(s.Bed, s.halls[0].room, func() {
			room.Emit(bob.Client, said, "lost")
			room.Emit(bob.Client.Others(), said, "to the others of one who is gone")
			room.Emit(s.halls[0].room.Only(bob.Client, ann.Client), said, "only")
			bob.Client.Kick("twice")
		})
		assert.Equal(t, []string{"2 leaves", "without you", "to the others of one who is gone", "only"}, roomtest.All[string](ann, "said"))
		assert.Equal(t, []string{"2 leaves"}, roomtest.All[string](bob, "said"))
		assert.Equal(t, codec.Left, bob.Left.Code)
	})
}

func TestStalledLeaverGetsWhatItMissed(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate}, nil)
		ann, bob := s.Join("hall", nil), s.Join("hall", nil)
		bob.Stall(1)
		ann.Emit("say", "one")
		s.Run(second)
		ann.Emit("say", "two")
		s.Run(second)
		assert.Empty(t, bob.Frames)
		do(s.Bed, s.halls[0].room, func() { bob.Client.Kick("bye") })
		assert.Equal(t, []string{"1: one", "1: two"}, roomtest.All[string](bob, "said"))
		assert.Equal(t, codec.Kicked, bob.Left.Code)
	})
}

func TestAFrameThatNobodyMayReadIsNotSent(t *testing.T) {
	s := newSet(t, room.Config{Rate: 20, Log: 64 << 20}, nil)
	ann, bob := s.Join("hall", nil), s.Join("hall", nil)
	large := string(make([]byte, 7<<20))
	bob.Stall(1)
	for range 3 {
		do(s.Bed, s.halls[0].room, func() { room.Emit(s.halls[0].room, said, large) })
	}
	bob.Stall(0)
	do(s.Bed, s.halls[0].room, func() { room.Emit(s.halls[0].room, said, "x") })
	assert.Len(t, roomtest.All[string](ann, "said"), 4)
	assert.Empty(t, bob.Frames)
	assert.Equal(t, codec.SlowConsumer, bob.Left.Code)
	assert.Equal(t, []uint32{2}, s.halls[0].leaves)
	assert.Equal(t, uint64(1), s.Host.Stats().Slow)
}

func TestTooMuchInOneTickEndsTheRoom(t *testing.T) {
	s := newSet(t, room.Config{Rate: 20}, nil)
	ann := s.Join("hall", nil)
	large := string(make([]byte, 5<<20))
	do(s.Bed, s.halls[0].room, func() {
		room.Emit(s.halls[0].room, said, large)
		room.Emit(s.halls[0].room, said, large)
	})
	assert.Equal(t, codec.RoomFailed, ann.Left.Code)
}

func TestCloseInEveryHook(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		closes := map[string]func(h *hall){
			"Join":        func(h *hall) { h.onJoin = func(*room.Client) error { h.room.Close("x"); return nil } },
			"Say":         func(h *hall) { h.onSay = func(*room.Client, string) { h.room.Close("x") } },
			"Leave":       func(h *hall) { h.onLeave = func(*room.Client) { h.room.Close("x") } },
			"constructor": func(h *hall) { h.room.Close("x") },
		}
		for where, prepare := range closes {
			s := newSet(t, room.Config{Rate: rate, EmptyFor: -1}, prepare)
			p := s.TryJoin(codec.JoinOrCreate, "hall", nil, nil)
			if p.Left == nil {
				p.Emit("say", "x")
				s.Run(second)
			}
			if p.Left == nil {
				p.Leave()
				s.Run(second)
			}
			require.NotNil(t, p.Left, where)
			assert.Equal(t, where != "constructor", p.Joined, where)
			assert.True(t, s.halls[0].closed, where)
			assert.Len(t, s.halls[0].leaves, len(s.halls[0].joins), where)
			assert.Zero(t, s.Host.Stats().Rooms, where)
		}
	})
}

func TestLeaveThatKicksTheOthers(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate}, func(h *hall) {
			h.onLeave = func(c *room.Client) {
				for _, o := range h.room.Clients() {
					if o != c {
						o.Kick("follow")
					}
				}
			}
		})
		players := []*roomtest.Player{s.Join("hall", nil), s.Join("hall", nil), s.Join("hall", nil)}
		players[1].Leave()
		s.Run(second)
		assert.Equal(t, []uint32{2, 1, 3}, s.halls[0].leaves)
		assert.Equal(t, codec.Left, players[1].Left.Code)
		assert.Equal(t, codec.Kicked, players[0].Left.Code)
	})
}

func TestKickedInItsOwnJoin(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate}, func(h *hall) {
			h.onJoin = func(c *room.Client) error {
				room.Emit(c, welcome, 1)
				c.Kick("changed my mind")
				return nil
			}
		})
		p := s.TryJoin(codec.JoinOrCreate, "hall", nil, nil)
		assert.True(t, p.Joined)
		assert.Equal(t, uint32(1), roomtest.Last[uint32](p, "welcome"))
		assert.Equal(t, "kicked: changed my mind", p.Left.Error())
		assert.Equal(t, []uint32{1}, s.halls[0].leaves)
	})
}
