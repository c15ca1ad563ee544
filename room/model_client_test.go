package room_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// modelGrace is for how long a client of the world may be away.
const modelGrace = 400 * time.Millisecond

// modelClient is a client of the world, and what it has got so far.
type modelClient struct {
	w         *world
	game      *modelGame
	c         *room.Client
	list      []heard
	at        position   // what it has, if its connection brings all that is on it
	passed    []position // where it was before, since it last acknowledged
	acked     uint64     // the last tick that it has acknowledged
	fresh     uint64     // the tick of its last RESYNC
	lastTick  uint64
	sent      uint64 // packets to the room
	processed uint64
	conn      int // the number of its connection
	stalled   bool
	joined    bool
	cut       bool          // it has no connection
	cutAt     time.Duration // when that was lost
	asked     bool          // it has come back and was not answered yet
	readyFor  int           // rounds since its connection became ready
	away      bool          // the game knows that it has none
	going     bool          // it has said that it leaves
	leaving   bool          // the game knows
	failed    *codec.Error
	left      *codec.Error
}

// position is how far a client is.
type position struct {
	tick   uint64
	handed int // of its list
	bytes  int // that the room had emitted by then
	joins  bool
}

// modelLink is one of its connections.
type modelLink struct {
	*modelClient
	n int
}

var errCut = errors.New("the connection is cut")

func (m *modelClient) String() string {
	return fmt.Sprintf("seed %d: room %d, client %d", m.w.seed, slices.Index(m.w.rooms, m.game), m.c.ID())
}

func (w *world) fatal(m *modelClient, format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%v: %s", m, fmt.Sprintf(format, args...))
}

// behind is how much the room has emitted that the client does not have.
func (m *modelClient) behind() int { return m.game.bytes - m.at.bytes }

// dead reports whether what is sent over the connection gets nowhere.
func (l modelLink) dead() bool { return l.cut || l.n != l.conn }

func (l modelLink) Pending() int {
	if l.stalled && !l.dead() {
		return 1
	}
	return 0
}

func (l modelLink) Joined(c *room.Client, tick uint64) {
	m := l.modelClient
	if l.dead() {
		return
	}
	if m.joined && !m.asked || m.left != nil {
		m.w.fatal(m, "joined twice, or after it left")
	}
	if m.asked && !m.at.joins {
		m.w.fatal(m, "joined again, and it had processed tick %d", m.at.tick)
	}
	m.joined, m.asked = true, false
	m.at.tick, m.at.joins = tick, false
}

func (l modelLink) Resumed(_ uint32, seq uint64) {
	m := l.modelClient
	if l.dead() {
		return
	}
	if !m.asked || m.at.joins || m.left != nil || seq != m.sent {
		m.w.fatal(m, "resumed with packet %d of %d", seq, m.sent)
	}
	m.asked = false
}

func (l modelLink) Resync(_ uint32, tick uint64) {
	m := l.modelClient
	if l.dead() {
		return
	}
	if !m.w.sync || m.asked || tick < m.at.tick || (m.behind() <= m.w.limit && m.fresh <= m.at.tick) {
		m.w.fatal(m, "begins afresh at tick %d, and is only %d bytes behind", tick, m.behind())
	}
	m.passed = append(m.passed, m.at)
	m.at = position{tick: tick, handed: len(m.list), bytes: m.game.bytes}
	m.fresh = tick
}

func (l modelLink) Left(_ uint32, why *codec.Error) {
	m := l.modelClient
	if m.left != nil {
		m.w.fatal(m, "left twice")
	}
	m.left, m.asked = why, false
	whole := m.joined && m.failed == nil && !l.dead() && !m.at.joins
	if whole && m.at.handed != len(m.list) && m.behind() <= m.w.limit && m.fresh <= m.at.tick {
		m.w.fatal(m, "left without %d events: %v", len(m.list)-m.at.handed, why)
	}
	if why.Code == codec.ResumeFailed && !m.timedOut(0) && (m.behind() <= m.w.limit || m.w.sync) {
		m.w.fatal(m, "left with %v, %d bytes behind", why, m.behind())
	}
}

// timedOut reports whether the client has been away for longer than it may, and some more.
func (m *modelClient) timedOut(more time.Duration) bool {
	return m.cut && m.w.Now()-m.cutAt >= modelGrace-60*time.Millisecond+more
}

func (l modelLink) Dropped(uint32, uint64, *codec.Error) {
	if !l.dead() {
		l.w.fatal(l.modelClient, "a packet was dropped")
	}
}

func (l modelLink) Fail(why *codec.Error) {
	m := l.modelClient
	if m.failed != nil || !m.stalled || m.w.sync || why.Code != codec.SlowConsumer {
		m.w.fatal(m, "failed with %v", why)
	}
	if m.behind() <= m.w.limit {
		m.w.fatal(m, "is only %d bytes behind and was closed", m.behind())
	}
	m.failed = why
	if m.game.rng.IntN(2) == 0 {
		m.going = true
		m.c.Leave(why)
	}
}

func (l modelLink) Send(buf []byte, head int) error {
	m, w := l.modelClient, l.w
	if l.dead() {
		return errCut
	}
	if !m.joined || m.asked || m.left != nil || m.failed != nil || (m.stalled && !m.leaving) {
		w.fatal(m, "a frame cannot come now: %+v", m)
	}
	r := codec.NewReader(buf[head:], codec.ServerLimits)
	kind, n, err := r.Frame()
	require.NoError(w.t, err)
	require.Equal(w.t, codec.FrameVolley, kind)
	v, err := r.ServerVolley(n)
	require.NoError(w.t, err)
	packets, err := r.Packets(n, nil)
	require.NoError(w.t, err)
	if v.Tick <= m.lastTick {
		w.fatal(m, "two frames in tick %d", v.Tick)
	}
	m.lastTick = v.Tick
	if v.Ack != m.processed {
		w.fatal(m, "acknowledged %d, processed %d", v.Ack, m.processed)
	}
	want := collapse(m.list[m.at.handed:])
	if len(want) != len(packets) {
		w.fatal(m, "%d packets, want %v", len(packets), want)
	}
	for i, p := range packets {
		var value int
		require.NoError(w.t, codec.Unmarshal(p.Payload, &value))
		if name := w.Host.Names().List()[p.Index]; name != want[i].event || value != want[i].value {
			w.fatal(m, "packet %d is %s %d, want %v", i, name, value, want)
		}
	}
	m.passed = append(m.passed, m.at)
	m.at = position{tick: v.Tick, handed: len(m.list), bytes: m.game.bytes}
	return nil
}

// acknowledge tells the room how far the client is.
func (m *modelClient) acknowledge() {
	m.acked, m.passed = m.at.tick, nil
	require.NoError(m.w.t, m.c.Receive(m.sent+1, m.acked, nil))
}

// lose cuts the connection, and some frames that were on it, but none that the client has acknowledged. If all were, it may not
// even know that it has joined.
func (m *modelClient) lose() {
	most := min(len(m.passed), 4)
	if m.w.rng.IntN(3) == 0 {
		most = len(m.passed)
	}
	back := m.w.rng.IntN(most + 1)
	if back > 0 {
		m.at = m.passed[len(m.passed)-back]
		m.passed = m.passed[:len(m.passed)-back]
	}
	m.at.joins = m.at.joins || !m.joined || m.acked == 0 && len(m.passed) == 0 && m.at.handed == 0 && m.w.rng.IntN(2) == 0
	m.stalled = false
}

// cutOff loses the connection, and the room hears of it.
func (m *modelClient) cutOff() {
	m.lose()
	m.cut, m.cutAt, m.asked = true, m.w.Now(), false
	m.c.Drop(&codec.Error{Code: codec.IdleTimeout})
}

// comeBack goes on over another connection, whether or not the one before was lost.
func (m *modelClient) comeBack() {
	if !m.cut {
		m.lose()
	}
	if m.passed = nil; !m.at.joins {
		m.acked = m.at.tick // it has said so
	}
	m.conn++
	m.cut, m.asked = false, true
	m.readyFor = 0
	m.c.Resume(modelLink{m, m.conn}, codec.Processed{Tick: m.at.tick, Joining: m.at.joins})
}

// dropped is what the game hears when the connection is lost.
func (g *modelGame) dropped(c *room.Client) {
	m := c.User().(*modelClient)
	g.check()
	if m.away || m.leaving || !m.cut && !m.going || c.Connected() {
		g.w.fatal(m, "dropped, and it is not away")
	}
	m.away = true
	g.act(1)
}

// resumed is what the game hears when another one carries on.
func (g *modelGame) resumed(c *room.Client) {
	m := c.User().(*modelClient)
	g.check()
	if !m.away || m.leaving || !c.Connected() {
		g.w.fatal(m, "resumed, and it was not away")
	}
	m.away = false
	g.act(1)
}

// resync tells a client anew what it missed, as far as the model goes: something for it.
func (g *modelGame) resync(c *room.Client) {
	m := c.User().(*modelClient)
	g.check()
	if m.leaving || m.away || !g.w.sync {
		g.w.fatal(m, "begins afresh, and is not there")
	}
	g.emit(c, func(o *modelClient) bool { return o == m }, 0)
	g.act(1)
}
