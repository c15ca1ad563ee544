package room_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
)

// TestForgottenOfOthers: what a room has forgotten that was for others does not keep a client from coming back.
func TestForgottenOfOthers(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		const mail room.Event[int] = "mail"
		s := newSet(t, room.Config{Rate: rate}, nil)
		ann, bob, eve := s.Join("hall", nil), s.Join("hall", nil), s.Join("hall", nil)
		r := s.halls[0].room
		to := func(p *roomtest.Player, n int) {
			do(s.Bed, r, func() { room.Emit(p.Client, mail, n) })
			s.Run(second)
		}
		to(ann, 1)
		ann.Acknowledge()
		for n := range 100 { // ann needs none of it, and bob has it: it is forgotten
			to(bob, n)
			bob.Acknowledge()
		}
		s.Run(second)
		to(eve, 2) // her first
		eve.Cut(1)
		to(ann, 2)
		ann.Cut(1)
		to(bob, 100)
		to(ann, 3)
		ann.Return()
		eve.Return()
		s.Run(second)
		assert.Nil(t, eve.Left)
		assert.Equal(t, []int{2}, roomtest.All(eve, mail))
		assert.Nil(t, ann.Left)
		assert.Equal(t, 1, ann.Resumes)
		assert.Equal(t, []int{1, 2, 3}, roomtest.All(ann, mail))
		assert.Equal(t, 101, len(roomtest.All(bob, mail)))
	})
}
