package room_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// A flood of packets that nobody handles is counted, and answered by a few notices only.
func TestNoticesAreFew(t *testing.T) {
	s := newSet(t, room.Config{Rate: 20}, nil)
	ann := s.Join("hall", nil)
	for range 500 {
		ann.Emit("nothing", 1)
	}
	s.Run(second)
	assert.Len(t, ann.Drops, 16)
	assert.Equal(t, uint64(500), s.Host.Stats().Dropped)
	assert.Equal(t, uint64(500), ann.Frames[len(ann.Frames)-1].Ack)
	ann.Emit("nothing", 1)
	ann.Ticks(2)
	assert.Len(t, ann.Drops, 17)
}

// fragile is a type whose own decoder panics on some input.
type fragile struct{ first byte }

func (f *fragile) UnmarshalText(b []byte) error { f.first = b[0]; return nil }

func TestADecoderThatPanicsCostsItsSenderOnly(t *testing.T) {
	const touch room.Event[fragile] = "touch"
	k := room.Define("hall", func(r *room.Room) *hall { return &hall{room: r} }, room.Config{})
	room.On(k, touch, func(g *hall, _ *room.Client, f fragile) { room.Emit(g.room, state, int(f.first)) })
	bed := newBed(t, k)
	ann, bob := bed.Join("hall", nil), bed.Join("hall", nil)
	ann.Send(codec.Packet{Index: codec.NoIndex, Name: []byte("touch"), Payload: []byte{0xc4, 0}})
	bob.Send(codec.Packet{Index: codec.NoIndex, Name: []byte("touch"), Payload: []byte{0xc4, 1, 'x'}})
	bed.Settle()
	require.NotNil(t, ann.Failed)
	assert.Equal(t, codec.BadPayload, ann.Failed.Code)
	assert.Nil(t, bob.Left)
	assert.NotEmpty(t, bob.Frames)
	assert.Zero(t, bed.Host.Stats().Failed)
}

// One client asks for more than a tick may say: the rest waits for the next tick, and nobody loses the room.
func TestInputThatAsksForTooMuchWaits(t *testing.T) {
	const dump room.Call[int, []byte] = "dump"
	k := room.Define("hall", func(r *room.Room) *hall { return &hall{room: r} }, room.Config{})
	room.Handle(k, dump, func(*hall, *room.Client, int) ([]byte, error) { return make([]byte, 40<<10), nil })
	bed := newBed(t, k)
	ann, bob := bed.Join("hall", nil), bed.Join("hall", nil)
	for range room.MaxRequests {
		ann.Request("dump", 1)
	}
	bed.Settle()
	assert.Nil(t, bob.Left)
	replies := 0
	for _, p := range ann.Packets() {
		if p.Kind == codec.Reply {
			replies++
		}
	}
	assert.Equal(t, room.MaxRequests, replies)
	assert.Greater(t, len(ann.Frames), 2)
}
