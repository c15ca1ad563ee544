//go:build linux

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// An input must be what a server's codec reads.
func TestVolleyInput(t *testing.T) {
	for _, size := range []int{inputSize, eventSize} {
		l := &load{spec: loadSpec{Event: "input", Send: size}, framing: rawTCP{}}
		d := &volleyDialect{}
		d.prepare(l, []string{"event", "input"})
		c := &conn{tick: 120}
		for seq := range uint64(300) { // sequence numbers of one, two and three bytes
			b := d.input(l, c, 77, 88)
			_, frame, rest, err := rawTCP{}.next(b)
			require.NoError(t, err)
			require.Empty(t, rest)
			r := codec.NewReader(frame, codec.Limits{})
			typ, n, err := r.Frame()
			require.NoError(t, err)
			require.Equal(t, codec.FrameVolley, typ)
			v, err := r.ClientVolley(n)
			require.NoError(t, err)
			require.Equal(t, codec.Volley{Channel: 0, Seq: seq + 1, Tick: 120}, v)
			packets, err := r.Packets(n, nil)
			require.NoError(t, err)
			require.Len(t, packets, 1)
			require.EqualValues(t, 1, packets[0].Index)
			payload := binary8or16(packets[0].Payload)
			require.Len(t, payload, size)
			require.EqualValues(t, 77, stampIn(payload))
		}
		_, frame, _, err := rawTCP{}.next(d.acknowledge(l, c))
		require.NoError(t, err)
		r := codec.NewReader(frame, codec.Limits{})
		_, n, err := r.Frame()
		require.NoError(t, err)
		v, err := r.ClientVolley(n)
		require.NoError(t, err)
		require.Equal(t, codec.Volley{Seq: 301, Tick: 120}, v)
	}
}

// A state is counted once, however it is cut, and its stamp gives one latency.
func TestReceivedInPieces(t *testing.T) {
	state := make([]byte, stateSize)
	putStamp(state[2*stampSize:], 1000)
	payload := append([]byte{0xc4, stateSize}, state...)
	b := append(make([]byte, codec.MaxPrefix), codec.AppendEvent(nil, 3)...)
	b = append(b, payload...)
	b = b[codec.PutVolley(b, codec.MaxPrefix, 0, 9, 0, 1):]
	wire := frameOf(0x82, b)
	for cut := range len(wire) {
		l, err := newLoad(loadSpec{Receive: stateSize, Style: stylePaced})
		require.NoError(t, err)
		l.now = 3000
		c := &conn{phase: playing, slot: 2}
		if cut > 0 {
			l.received(c, wire[:cut])
		}
		require.Zero(t, l.frames)
		l.received(c, append(append([]byte{}, c.in...), wire[cut:]...))
		l.received(c, wire) // again: another frame, but the same stamp
		require.EqualValues(t, 2, l.frames)
		require.EqualValues(t, 2, l.messages)
		require.EqualValues(t, 1, l.answers)
		require.EqualValues(t, 9, c.tick)
		require.InDelta(t, 2.0, l.latency.us(100), 0.01)
		l.close()
	}
}

func TestPacer(t *testing.T) {
	const n, period = 10, int64(time.Second)
	var when [2][]int64
	for part := range when {
		p := newPacer(n, loadSpec{PeriodNs: period, Phase: part, Phases: 2})
		p.begin(500)
		turns := map[int32]int{}
		for {
			i, due, ok := p.take(500 + 3*period - 1)
			if !ok {
				break
			}
			turns[i]++
			when[part] = append(when[part], due-500)
		}
		require.Len(t, turns, n)
		for i, k := range turns {
			require.Equal(t, 3, k, "connection %d in three periods", i)
		}
	}
	for i := range when[0] {
		require.EqualValues(t, int64(i)*period/n, when[0][i])
		require.EqualValues(t, int64(i)*period/n+period/n/2, when[1][i], "half a place after the other process")
	}
}

func TestPlan(t *testing.T) {
	for _, c := range []struct{ conns, files, servers, loads, sources int }{
		{64, 20_000, 1, 1, 0},
		{15_000, 20_000, 1, 1, 2},
		{18_976, 20_000, 1, 1, 3},
		{18_977, 20_000, 2, 1, 3},
		{100_000, 20_000, 6, 6, 13},
		{1_000_000, 20_000, 56, 51, 125},
	} {
		p := makePlan(c.conns, c.files, "", "127.0.1.1")
		require.Equal(t, c.servers, p.servers, "%+v", c)
		require.Len(t, p.loads, c.loads, "%+v", c)
		require.Len(t, p.sources, c.sources, "%+v", c)
		sum := 0
		for i, n := range p.loads {
			require.LessOrEqual(t, n+loadSpare, c.files)
			sum += n
			if c.sources > 0 {
				require.NotEmpty(t, p.part(i, len(p.loads)))
			}
		}
		require.Equal(t, c.conns, sum)
		require.Less(t, float64(c.conns)/float64(p.servers), float64(c.files-serverSpare)+1)
	}
}

func TestSourcesFrom(t *testing.T) {
	got := sourcesFrom("127.0.1.253", 4)
	require.Equal(t, []string{"127.0.1.253", "127.0.1.254", "127.0.2.1", "127.0.2.2"}, got)
}

func TestMedian(t *testing.T) {
	var runs []*result
	for _, v := range []float64{3, 1, 2, 10} {
		r := newResult("rooms", "Volley")
		r.add("cpu_us_per_frame", "", "", v)
		runs = append(runs, r)
	}
	v, ok := median(runs).number("cpu_us_per_frame")
	require.True(t, ok)
	require.Equal(t, 2.5, v)
}

func TestNiceAxis(t *testing.T) {
	for _, top := range []float64{0, 0.03, 1, 4.7, 99, 8418} {
		ticks := chart{}.yAxis(top).Ticks
		require.GreaterOrEqual(t, ticks[len(ticks)-1].Value, top)
		require.LessOrEqual(t, len(ticks), 7)
	}
}
