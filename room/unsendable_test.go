package room_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
)

// What clients would refuse never leaves: it is the game's fault, and the log names the event.
func TestValuesThatClientsWouldRefuse(t *testing.T) {
	for name, emit := range map[string]func(r *room.Room){
		"a string that is not UTF-8": func(r *room.Room) { room.Emit(r, said, "caf\xc3") },
		"latest":                     func(r *room.Room) { room.EmitLatest(r, said, 1, "caf\xc3") },
		"a map with odd keys": func(r *room.Room) {
			room.Emit(r, room.Event[map[bool]int]("odd"), map[bool]int{true: 1})
		},
		"a channel": func(r *room.Room) { room.Emit(r, room.Event[chan int]("chan"), nil) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSet(t, room.Config{}, func(h *hall) { h.onSay = func(*room.Client, string) { emit(h.room) } })
			ann := s.Join("hall", nil)
			ann.Emit("say", "x")
			s.Settle()
			assert.Empty(t, ann.Frames)
			require.NotNil(t, ann.Left)
			assert.Equal(t, codec.RoomFailed, ann.Left.Code)
		})
	}
}

func TestTheNoticeNamesTheEvent(t *testing.T) {
	s := newSet(t, room.Config{}, nil)
	ann := s.Join("hall", nil)
	ann.Emit("sya", "hello")
	s.Settle()
	ann.Emit("say", "hello") // makes "said" known
	s.Settle()
	index := int32(0)
	for i, name := range s.Host.Names().List() {
		if name == "said" {
			index = int32(i)
		}
	}
	ann.Send(codec.Packet{Index: index, Payload: []byte{0xc0}}, codec.Packet{Index: 999, Payload: []byte{0xc0}})
	s.Settle()
	var reasons []string
	for _, d := range ann.Drops {
		reasons = append(reasons, d.Reason)
	}
	assert.Equal(t, []string{
		`kind hall has no handler for "sya"`, `kind hall has no handler for "said"`, `kind hall has no handler for "event 999"`,
	}, reasons)
}

func TestClientByNumber(t *testing.T) {
	s := newSet(t, room.Config{}, nil)
	s.Join("hall", nil)
	bob := s.Join("hall", nil)
	s.halls[0].room.Post(func() {
		assert.Same(t, bob.Client, s.halls[0].room.Client(2))
		assert.Nil(t, s.halls[0].room.Client(3))
	})
	s.Settle()
}

func TestNilHandlersAndKinds(t *testing.T) {
	k := room.Define("k", func(r *room.Room) *hall { return &hall{room: r} }, room.Config{})
	assert.PanicsWithValue(t, `room: kind "k": the handler for "say" is nil`, func() { room.On[*hall](k, say, nil) })
	assert.PanicsWithValue(t, "room: kind 1 is nil", func() { roomtest.New(t, k, nil) })
}
