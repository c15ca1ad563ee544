package room_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// Requests beyond what a client may have waiting are dropped with a word, and the ones before them are answered.
func TestRequestsBeyondTheLimit(t *testing.T) {
	s := newSet(t, room.Config{Rate: 20}, nil)
	ann := s.Join("hall", nil)
	const extra = 3
	for range room.MaxRequests + extra {
		ann.Request("say", "x")
	}
	s.Run(second)
	replies := 0
	for _, p := range ann.Packets() {
		if p.Kind == codec.Reply {
			replies++
		}
	}
	assert.Equal(t, room.MaxRequests, replies)
	assert.Len(t, ann.Drops, extra)
	assert.Equal(t, codec.TooManyRequests, ann.Drops[0].Code)
	assert.Equal(t, uint64(extra), s.Host.Stats().Dropped)
	ann.Request("say", "again")
	s.Run(second)
	assert.Len(t, ann.Drops, extra, "the next tick takes requests again")
}
