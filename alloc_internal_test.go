//go:build !race

package volley

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/netio"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// The race detector makes sync.Pool forget at random, so allocations are counted without it.

type quietGame struct{ sum float32 }

func (g *quietGame) Join(*room.Client) error                         { return nil }
func (g *quietGame) Leave(*room.Client)                              {}
func (g *quietGame) Tick(tick.Tick)                                  {}
func (g *quietGame) Move(_ *room.Client, m struct{ DX, DY float32 }) { g.sum += m.DX + m.DY }

// nobody is a Link to no connection.
type nobody struct{}

func (nobody) Send([]byte, int) error               { return nil }
func (nobody) Pending() int                         { return 0 }
func (nobody) Joined(*room.Client, uint64)          {}
func (nobody) Left(uint32, *codec.Error)            {}
func (nobody) Dropped(uint32, uint64, *codec.Error) {}
func (nobody) Fail(*codec.Error)                    {}
func (nobody) Resumed(uint32, uint64)               {}
func (nobody) Resync(uint32, uint64)                {}

// From a frame to the room's inbox, and through the room's tick, nothing is allocated.
func TestFrameToInboxDoesNotAllocate(t *testing.T) {
	const move room.Event[struct{ DX, DY float32 }] = "move"
	kind := room.Define("quiet", func(*room.Room) *quietGame { return &quietGame{} }, room.Config{Rate: 20})
	room.On(kind, move, (*quietGame).Move)
	sched := tick.New(tick.Config{Manual: true})
	defer sched.Close()
	host := room.NewHost(room.HostConfig{Scheduler: sched}, kind)
	c, refused := host.Join(room.JoinRequest{Name: "quiet", Link: nobody{}})
	require.Nil(t, refused)
	s := &session{srv: &Server{Host: host, cfg: Config{}.withDefaults()}, conn: new(netio.Conn), clients: []*room.Client{c}}

	payload, err := codec.Marshal(struct{ DX, DY float32 }{0.5, -0.25})
	require.NoError(t, err)
	packets := append(make([]byte, codec.MaxPrefix), append(codec.AppendEvent(nil, 0), payload...)...)
	seq, now := uint64(0), time.Duration(0)
	turn := func() {
		for range 8 {
			seq++
			if err := s.Message(packets[codec.PutVolley(packets, codec.MaxPrefix, 0, seq, 0, 1):]); err != nil {
				panic(err)
			}
		}
		now += time.Second / 20
		sched.RunDue(now)
	}
	for range 100 {
		turn()
	}
	assert.Zero(t, testing.AllocsPerRun(1000, turn))
	assert.Equal(t, seq, c.Seq(), "every packet was handled")
}
