package room_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
)

// inn is an event-driven game that remembers what its hooks were told; synced is one that can begin afresh.
type inn struct {
	room *room.Room
	log  []string
}

func (g *inn) note(what string, c *room.Client) {
	g.log = append(g.log, fmt.Sprint(what, " ", c.ID(), " ", c.Connected()))
}
func (g *inn) Join(c *room.Client) error       { g.note("join", c); return nil }
func (g *inn) Leave(c *room.Client)            { g.note("leave", c) }
func (g *inn) Dropped(c *room.Client)          { g.note("dropped", c) }
func (g *inn) Resumed(c *room.Client)          { g.note("resumed", c) }
func (g *inn) say(c *room.Client, what string) { room.Emit(g.room, said, what) }

type synced struct{ *inn }

func (g synced) Resync(c *room.Client) {
	g.note("resync", c)
	room.Emit(c, said, "all of it")
}

// newInn runs rooms of one of them; the first is returned once a player is in.
func newInn(t *testing.T, cfg room.Config, sync bool) (*roomtest.Bed, *inn) {
	g := &inn{}
	make := func(r *room.Room) *inn { g.room = r; return g }
	if sync {
		k := room.Define("inn", func(r *room.Room) synced { return synced{make(r)} }, cfg)
		room.On(k, say, func(g synced, c *room.Client, what string) { g.say(c, what) })
		return newBed(t, k), g
	}
	k := room.Define("inn", make, cfg)
	room.On(k, say, (*inn).say)
	return newBed(t, k), g
}

func TestAwayAndBack(t *testing.T) {
	for _, lost := range []int{0, 1, 2} {
		t.Run(fmt.Sprint(lost, " frames are lost"), func(t *testing.T) {
			bed, g := newInn(t, room.Config{}, false)
			ann, bob := bed.Join("inn", nil), bed.Join("inn", nil)
			ann.Emit("say", "one")
			bob.Emit("say", "two")
			bob.Emit("say", "three")
			bed.Settle()
			require.Equal(t, []string{"one", "two", "three"}, roomtest.All[string](ann, "said"))
			ann.Cut(lost)
			bed.Settle()
			assert.Equal(t, room.HostStats{Rooms: 1, Away: 1}, bed.Host.Stats())
			assert.Len(t, g.room.Clients(), 2, "it is still in")
			bob.Emit("say", "four")
			bed.Run(14 * second)
			bob.Emit("say", "five")
			ann.Return()
			bed.Settle()
			assert.Equal(t, []string{"one", "two", "three", "four", "five"}, roomtest.All[string](ann, "said"))
			assert.Equal(t, []string{"join 1 true", "join 2 true", "dropped 1 false", "resumed 1 true"}, g.log)
			assert.Equal(t, 1, ann.Resumes)
			assert.Equal(t, room.HostStats{Rooms: 1, Resumed: 1}, bed.Host.Stats())
			bed.Run(20 * second)
			assert.Nil(t, ann.Left, "the grace is over, and it does not matter any more")
		})
	}
}

func TestAwayForTooLong(t *testing.T) {
	bed, g := newInn(t, room.Config{Grace: 3 * second, Capacity: 1}, true)
	ann := bed.Join("inn", nil)
	ann.Cut(0)
	bed.Run(2900 * time.Millisecond)
	full := bed.TryJoin(codec.JoinByID, g.room.ID(), nil, nil)
	assert.Equal(t, codec.RoomFull, full.Left.Code, "the seat is kept")
	assert.Equal(t, 1, bed.Host.Stats().Away)
	bed.Run(200 * time.Millisecond)
	assert.Equal(t, []string{"join 1 true", "dropped 1 false", "leave 1 false"}, g.log)
	assert.Equal(t, codec.ResumeFailed, ann.Left.Code)
	assert.Equal(t, room.HostStats{Expired: 1}, bed.Host.Stats())
	ann.Return()
	bed.Settle()
	assert.Zero(t, ann.Resumes)
}

func TestNoGraceIsALeave(t *testing.T) {
	bed, g := newInn(t, room.Config{Grace: -1}, true)
	ann := bed.Join("inn", nil)
	ann.Cut(0)
	bed.Settle()
	assert.Equal(t, []string{"join 1 true", "leave 1 true"}, g.log)
	assert.Equal(t, codec.IdleTimeout, ann.Left.Code)
	assert.Equal(t, room.HostStats{}, bed.Host.Stats())
}

// A connection that takes over from a living one, and one that comes back before the room has noticed, are no news for the game.
func TestTakeoverIsNoNews(t *testing.T) {
	bed, g := newInn(t, room.Config{}, false)
	ann := bed.Join("inn", nil)
	ann.Emit("say", "one")
	ann.Return()
	bed.Settle()
	assert.Equal(t, 1, ann.Resumes)
	g.room.Post(func() {
		ann.Cut(0)
		ann.Return()
		ann.Cut(0)
		ann.Return()
	})
	bed.Settle()
	assert.Equal(t, 2, ann.Resumes)
	ann.Emit("say", "two")
	bed.Settle()
	assert.Equal(t, []string{"one", "two"}, roomtest.All[string](ann, "said"))
	assert.Equal(t, []string{"join 1 true"}, g.log)
}

// Who is away for longer than the log lasts begins afresh, or leaves as soon as it is clear that it cannot come back.
func TestAwayForLongerThanTheLog(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, sync := range []bool{true, false} {
		t.Run(fmt.Sprint("resync ", sync), func(t *testing.T) {
			bed, g := newInn(t, room.Config{Log: 1 << 10}, sync)
			ann, bob := bed.Join("inn", nil), bed.Join("inn", nil)
			ann.Emit("say", "one")
			bed.Settle()
			ann.Cut(0)
			for range 9 {
				bob.Emit("say", long)
			}
			bed.Settle()
			assert.Nil(t, ann.Left)
			for range 9 {
				bob.Emit("say", long)
			}
			bed.Settle()
			if !sync {
				assert.Equal(t, codec.ResumeFailed, ann.Left.Code)
				assert.Equal(t, []string{"join 1 true", "join 2 true", "dropped 1 false", "leave 1 false"}, g.log)
				return
			}
			require.Nil(t, ann.Left)
			ann.Forget()
			ann.Return()
			bed.Settle()
			assert.Equal(t, []string{"all of it"}, roomtest.All[string](ann, "said"))
			assert.Equal(t, 1, ann.Resyncs)
			assert.Equal(t, []string{"dropped 1 false", "resumed 1 true", "resync 1 true"}, g.log[2:])
			assert.Equal(t, room.HostStats{Rooms: 1, Resumed: 1, Resynced: 1}, bed.Host.Stats())
			bob.Emit("say", "on")
			bed.Settle()
			assert.Equal(t, []string{"all of it", "on"}, roomtest.All[string](ann, "said"))
		})
	}
}

// What a living client has not acknowledged is kept as well, but not for ever.
func TestUnacknowledgedForLongerThanTheLog(t *testing.T) {
	bed, g := newInn(t, room.Config{Log: 1 << 10}, true)
	ann, bob := bed.Join("inn", nil), bed.Join("inn", nil)
	for range 40 {
		bob.Emit("say", strings.Repeat("x", 100))
	}
	bed.Settle()
	ann.Cut(30)
	ann.Return()
	bed.Settle()
	assert.Equal(t, []string{"join 1 true", "join 2 true", "resync 1 true"}, g.log)
	ann.Cut(1000) // the fresh beginning is lost, too
	ann.Return()
	bed.Settle()
	assert.Equal(t, 2, ann.Resyncs)
	assert.Nil(t, ann.Left)
}

// A living client that falls off the log is closed, or begins afresh once its connection is ready.
func TestBehind(t *testing.T) {
	long := strings.Repeat("x", 500)
	for name, c := range map[string]struct {
		sync   bool
		behind room.Behind
		stays  bool
	}{
		"by default, without Resync": {false, 0, false},
		"by default, with Resync":    {true, 0, true},
		"ResyncBehind":               {true, room.ResyncBehind, true},
		"CloseBehind":                {true, room.CloseBehind, false},
	} {
		t.Run(name, func(t *testing.T) {
			bed, g := newInn(t, room.Config{Log: 1 << 10, Behind: c.behind}, c.sync)
			ann, bob := bed.Join("inn", nil), bed.Join("inn", nil)
			ann.Stall(1)
			for range 10 {
				bob.Emit("say", long)
			}
			bed.Settle()
			if !c.stays {
				require.NotNil(t, ann.Failed)
				assert.Equal(t, codec.SlowConsumer, ann.Failed.Code)
				assert.Equal(t, "leave 1 true", g.log[len(g.log)-1])
				assert.Equal(t, uint64(1), bed.Host.Stats().Slow)
				return
			}
			require.Nil(t, ann.Failed)
			assert.Zero(t, ann.Resyncs, "its connection is not ready")
			ann.Stall(0)
			bed.Settle()
			assert.Equal(t, 1, ann.Resyncs)
			assert.Equal(t, []string{"all of it"}, roomtest.All[string](ann, "said"))
			require.Len(t, ann.Frames, 1, "as one frame")
			assert.Equal(t, "resync 1 true", g.log[len(g.log)-1])
			assert.Zero(t, bed.Host.Stats().Slow)
		})
	}
}

// An acknowledgement that was lost comes again, also if nothing else does.
func TestAcknowledgementsComeAgain(t *testing.T) {
	bed, _ := newInn(t, room.Config{}, false)
	ann := bed.Join("inn", nil)
	ann.Send(codec.Packet{Index: codec.NoIndex, Name: []byte("nothing"), Payload: []byte{0xc0}})
	bed.Run(second)
	require.Equal(t, uint64(1), ann.Frames[len(ann.Frames)-1].Ack)
	ann.Cut(1)
	ann.Return()
	bed.Settle()
	ann.Forget()
	bed.Run(second)
	require.NotEmpty(t, ann.Frames)
	assert.Equal(t, uint64(1), ann.Frames[len(ann.Frames)-1].Ack)
}

// Requests to a client that is away keep their time, and it can answer when it is back.
func TestAsksOutliveAConnection(t *testing.T) {
	const question room.Call[string, string] = "question"
	bed, g := newInn(t, room.Config{}, false)
	ann := bed.Join("inn", nil)
	var answers []string
	ask := func() {
		room.Ask(ann.Client, question, "well?", 5*second, func(s string, err error) { answers = append(answers, fmt.Sprint(s, err)) })
	}
	do(bed, g.room, ask)
	ann.Cut(1)
	bed.Settle()
	do(bed, g.room, ask)
	bed.Run(4 * second)
	ann.Return()
	bed.Settle()
	var ids []uint32
	for _, p := range ann.Packets() {
		ids = append(ids, p.ID)
	}
	require.Equal(t, []uint32{1, 2}, ids)
	ann.Answer(2, "yes")
	bed.Run(2 * second)
	assert.Equal(t, []string{"yes<nil>", "room: no reply in time"}, answers)
}

// The end of a room, of a game or of a membership does not wait for who is away, and is told to who is on its way back.
func TestEndsWhileAway(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(g *inn)
		want codec.Code
	}{
		"the room is closed": {func(g *inn) { g.room.Close("over") }, codec.RoomClosed},
		"a kick":             {func(g *inn) { g.room.Clients()[0].Kick("out") }, codec.Kicked},
		"a fault":            {func(*inn) { panic("a fault") }, codec.RoomFailed},
	} {
		for _, back := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", back ", back), func(t *testing.T) {
				bed, g := newInn(t, room.Config{}, true)
				bed.AllowPanics()
				ann := bed.Join("inn", nil)
				ann.Cut(0)
				bed.Settle()
				g.room.Post(func() {
					if back {
						ann.Return()
					}
					c.end(g)
				})
				bed.Settle()
				require.NotNil(t, ann.Left)
				assert.Equal(t, c.want, ann.Left.Code)
				assert.Zero(t, bed.Host.Stats().Away)
				assert.Zero(t, bed.Host.Stats().Rooms)
			})
		}
	}
}

// A join of which the client has not heard is told again, with all that came since, if the log still has it.
func TestAJoinIsToldAgain(t *testing.T) {
	for _, over := range []bool{false, true} {
		t.Run(fmt.Sprint("off the log ", over), func(t *testing.T) {
			bed, _ := newInn(t, room.Config{Log: 1 << 10}, true)
			bob := bed.Join("inn", nil)
			var first, second answers
			c, refused := bed.Host.Join(room.JoinRequest{How: codec.JoinByID, Name: bob.Client.Room().ID(), Link: &first})
			require.Nil(t, refused)
			bed.Settle()
			n := 1
			if over {
				n = 30
			}
			for range n {
				bob.Emit("say", strings.Repeat("x", 100))
			}
			bed.Settle()
			c.Resume(&second, codec.Processed{Joining: true})
			bed.Settle()
			if over {
				assert.Equal(t, answers{log: []string{"joined", "resync", "frame of 1"}}, second)
			} else {
				assert.Equal(t, answers{log: []string{"joined", "frame of 1"}}, second)
			}
		})
	}
}

// answers is a link that notes what it was told.
type answers struct {
	silent
	log []string
}

func (a *answers) Joined(*room.Client, uint64) { a.log = append(a.log, "joined") }
func (a *answers) Resumed(uint32, uint64)      { a.log = append(a.log, "resumed") }
func (a *answers) Resync(uint32, uint64)       { a.log = append(a.log, "resync") }
func (a *answers) Send(buf []byte, head int) error {
	r := codec.NewReader(buf[head:], codec.ServerLimits)
	_, n, _ := r.Frame()
	_, _ = r.ServerVolley(n)
	packets, err := r.Packets(n, nil)
	a.log = append(a.log, fmt.Sprint("frame of ", len(packets)))
	return err
}

// Who comes and goes all the time costs the room one place in its inbox.
func TestChangesDoNotFillAnInbox(t *testing.T) {
	bed, g := newInn(t, room.Config{}, false)
	ann := bed.Join("inn", nil)
	g.room.Post(func() {
		for range 100_000 {
			ann.Cut(0)
			ann.Return()
		}
		ann.Cut(0)
	})
	bed.Settle()
	assert.Equal(t, []string{"join 1 true", "dropped 1 false"}, g.log)
	ann.Return()
	bed.Settle()
	assert.Equal(t, "resumed 1 true", g.log[len(g.log)-1])
	assert.Equal(t, 1, ann.Resumes)
}

// The grace counts from the last loss, also if the room has not noticed what was before it.
func TestGraceCountsFromTheLastLoss(t *testing.T) {
	bed, _ := newInn(t, room.Config{Grace: 10 * second}, false)
	ann := bed.Join("inn", nil)
	ann.Cut(0)
	bed.Run(9 * second)
	ann.Return()
	ann.Cut(0)
	bed.Run(9 * second)
	require.Nil(t, ann.Left)
	bed.Run(2 * second)
	require.NotNil(t, ann.Left)
}

// A fresh beginning that is too long for a frame is not tried for ever.
func TestAFreshBeginningThatIsTooLong(t *testing.T) {
	k := room.Define("hog", func(r *room.Room) hog { return hog{r} }, room.Config{})
	bed := newBed(t, k)
	ann := bed.Join("hog", nil)
	ann.Stall(1)
	r := ann.Client.Room()
	for range 3 { // each as much as a tick may emit, and together more than a frame holds
		do(bed, r, func() { room.Emit(r, said, strings.Repeat("x", 7<<20)) })
	}
	ann.Stall(0)
	bed.Run(second)
	assert.Equal(t, 1, ann.Resyncs)
	assert.Nil(t, ann.Left)
}

type hog struct{ room *room.Room }

func (hog) Join(*room.Client) error { return nil }
func (hog) Leave(*room.Client)      {}
func (hog) Resync(c *room.Client)   { room.Emit(c, said, "little") }
