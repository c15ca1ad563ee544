package volley_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/codec"
)

// floodAttacks are well-formed frames, and too many of them.
func floodAttacks() []attack {
	text := event("line", unhex("a1 61"))
	large := append(unhex("da ea60"), make([]byte, 60_000)...)
	many := func(n int, frame []byte) func(p *raw) {
		return func(p *raw) { p.write(bytes.Repeat(p.framed(frame), n)) }
	}
	return []attack{
		{name: "VOLLEYs", state: "hall", want: codec.RateLimited, do: func(p *raw) {
			var b []byte
			for seq := range uint64(1500) {
				b = append(b, p.framed(volleyOf(seq+1, 0, text))...)
			}
			p.write(b)
		}},
		{name: "acknowledgements", state: "pen", want: codec.RateLimited, do: many(1500, volleyOf(1, 0))},
		{name: "acknowledgements, just not too many", state: "pen", want: survives, do: many(900, volleyOf(1, 0))},
		{name: "PINGs", state: "pen", want: codec.RateLimited, do: many(1500, codec.AppendPing(nil, 1))},
		{name: "PINGs in another form", state: "pen", want: codec.RateLimited, do: many(1500, unhex("dc 0002 07 01"))},
		{name: "PONGs", state: "open", want: codec.RateLimited, do: many(1500, codec.AppendPong(nil, 1))},
		{name: "VOLLEYs to no room", state: "open", want: codec.RateLimited, do: many(1500, unhex("95 00 05 01 00 91 92 00 c0"))},
		{name: "LEAVEs", state: "open", want: codec.RateLimited, do: many(1500, codec.AppendLeave(nil, 3))},
		{name: "bytes", state: "hall", want: limited, times: 6, do: func(p *raw) {
			for seq := range uint64(12) {
				p.send(volleyOf(seq+1, 0, event("line", large)))
			}
		}},
		{name: "bytes for one tick", state: "pen", want: limited, times: 6, do: func(p *raw) {
			var b []byte
			for seq := range uint64(12) {
				b = append(b, p.framed(volleyOf(seq+1, 0, event("line", large)))...)
			}
			p.write(b)
		}},
		{name: "packets for one tick", state: "pen", want: limited, times: 6, do: func(p *raw) {
			var b []byte
			for i := range uint64(400) {
				b = append(b, p.framed(volleyOf(256*i+1, 0, slices.Repeat([][]byte{text}, 256)...))...)
			}
			p.write(b)
		}},
		{name: "JOINs of what there is not", state: "open", want: survives, times: 6, do: func(p *raw) {
			p.write(bytes.Repeat(p.framed(codec.AppendJoin(nil, 1, codec.Create, "nonsense", nil)), 200))
			got := p.notices(codec.FrameLeft)
			assert.GreaterOrEqual(p.t, got[codec.NoSuchKind], 40)
			assert.GreaterOrEqual(p.t, got[codec.RateLimited], 100)
		}},
		{name: "JOINs and LEAVEs", state: "open", want: survives, times: 6, do: func(p *raw) {
			got := map[codec.Code]int{}
			for range 80 {
				p.send(codec.AppendJoin(nil, 1, codec.Create, "hall", nil))
				for code := codec.Code(0); code == 0; {
					frame := p.receive()
					in := codec.NewReader(frame, codec.ServerLimits)
					switch kind, n, _ := in.Frame(); kind {
					case codec.FrameJoined:
						p.send(codec.AppendLeave(nil, 1))
					case codec.FrameLeft:
						said, err := in.Reasoned(kind, n)
						require.NoError(p.t, err)
						code = said.Code
						got[code]++
					default:
						require.NotNil(p.t, frame, "the connection ended")
					}
				}
			}
			assert.GreaterOrEqual(p.t, got[codec.Left], 40)
			assert.Positive(p.t, got[codec.RateLimited])
		}},
		{name: "rooms, as many as a connection may have", state: "open", want: survives, times: 6, do: func(p *raw) {
			for channel := range uint32(16) {
				p.send(codec.AppendJoin(nil, channel, codec.Create, "hall", nil))
				p.want(codec.FrameJoined)
			}
		}},
		{name: "connections that say HELLO and go", state: "open", want: survives, times: 6, do: func(p *raw) {
			for range 50 {
				other := dialRaw(p.t, p.srv, p.transport)
				other.hello(codec.AppendHello(nil, nil))
				other.reset()
			}
		}},
		{name: "connections that join and go", state: "open", want: survives, times: 6, do: func(p *raw) {
			for range 50 {
				p.another("pen").reset()
			}
		}},
	}
}

// Rooms beyond Config.MaxRooms, and connections beyond MaxConns, are refused with a word; those who are in stay.
func TestHostileCrowds(t *testing.T) {
	a := newArena(t, volley.Config{MaxRooms: 10, MaxConns: 24})
	crowd := func(p *raw) []*raw {
		var all []*raw
		full := 0
		for range 30 {
			other := dialBare(p.t, p.srv, p.transport)
			all = append(all, other)
			if other.ws {
				other.write([]byte(upgradeRequest))
				if got := other.status(); got != http.StatusSwitchingProtocols {
					assert.EqualValues(p.t, http.StatusServiceUnavailable, got)
					full++
					continue
				}
			}
			other.send(codec.AppendHello(nil, nil))
			if frame := other.receive(); bytes.HasPrefix(frame, []byte{0x95, byte(codec.FrameBye)}) {
				full++
			}
		}
		assert.GreaterOrEqual(p.t, full, 30-24+len(a.honest)+1, "that were refused")
		return all
	}
	attacks := []attack{
		{name: "rooms", state: "open", want: survives, do: func(p *raw) {
			for channel := range uint32(16) {
				p.send(codec.AppendJoin(nil, channel, codec.Create, "hall", nil))
			}
			got := p.notices(codec.FrameLeft) // the rooms of the attack before may still wait for their client
			assert.GreaterOrEqual(p.t, got[codec.TooManyRooms], 8)
			assert.Len(p.t, got, 1)
		}},
		{name: "connections", state: "open", want: survives, times: 4, do: func(p *raw) {
			for _, other := range crowd(p) {
				other.reset()
			}
			gone := func() bool { return p.srv.Stats().Net.Open == len(a.honest)+1 } // or the next crowd finds less room
			assert.Eventually(p.t, gone, 10*time.Second, time.Millisecond)
		}},
	}
	a.run("ws tcp", attacks)
}

// One address gets no more sockets, and not faster, than it may, while the others come in.
func TestHostileAddress(t *testing.T) {
	forwarded := func(r *http.Request) netip.Addr {
		addr, _ := netip.ParseAddr(r.Header.Get("X-Forwarded-For"))
		return addr
	}
	a := newArena(t, volley.Config{ClientAddr: forwarded, ConnsPerAddress: 20, HandshakesPerSecondPerAddress: 5})
	warm := dialBare(t, a.srv, "ws") // the server keeps its table of addresses from the first one on
	warm.write([]byte(strings.Replace(upgradeRequest, "\r\n", "\r\nX-Forwarded-For: 10.1.0.0\r\n", 1)))
	warm.status()
	warm.reset()
	var last atomic.Uint32 // of the addresses that have attacked
	from := func(p *raw) func() *raw {
		n := last.Add(1)
		request := strings.Replace(upgradeRequest, "\r\n", fmt.Sprintf("\r\nX-Forwarded-For: 10.0.%d.%d\r\n", n/256, n%256), 1)
		return func() *raw {
			other := dialBare(p.t, p.srv, p.transport)
			other.write([]byte(request))
			return other
		}
	}
	a.run("ws", []attack{
		{name: "many sockets", state: "open", want: survives, times: 6, do: func(p *raw) {
			dial, got := from(p), map[codec.Code]int{}
			var all []*raw
			for range 40 {
				other := dial()
				got[other.status()]++
				all = append(all, other)
			}
			assert.Equal(p.t, map[codec.Code]int{http.StatusSwitchingProtocols: 20, http.StatusTooManyRequests: 20}, got)
			a.newcomer(p.t, "tcp", "pen")
			for _, other := range all {
				other.reset()
			}
		}},
		{name: "many in a row", state: "open", want: survives, times: 6, do: func(p *raw) {
			dial, got := from(p), map[codec.Code]int{}
			for range 120 {
				other := dial()
				got[other.status()]++
				other.reset()
			}
			assert.GreaterOrEqual(p.t, got[http.StatusSwitchingProtocols], 40)
			assert.GreaterOrEqual(p.t, got[http.StatusTooManyRequests], 40)
			a.newcomer(p.t, "tcp", "pen")
		}},
	})
}
