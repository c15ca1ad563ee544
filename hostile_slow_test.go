package volley_test

import (
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/codec"
)

// siege is what peers do that hold something of the server's for as long as they can: many at once, and all sieges at once.
type siege struct {
	name       string
	transports string
	state      string
	do         func(p *raw) // what it does at first; it must not wait
	drip       func(p *raw) // what it does every 50 ms until the end; nil: nothing
	deaf       bool         // it reads nothing until the end
	want       codec.Code   // as of an attack
	held       int64        // bytes of heap for each peer, its own included
}

func sieges() []siege {
	dripped := func(b []byte) func(p *raw) {
		var mu sync.Mutex
		at := map[*raw]int{}
		return func(p *raw) {
			mu.Lock()
			i := at[p]
			at[p]++
			mu.Unlock()
			p.write(b[i%len(b):][:1])
		}
	}
	nothing := func(*raw) {}
	head := []byte("GET /volley HTTP/1.1\r\nX-Slow: " + strings.Repeat("a", 4000))
	hello := codec.AppendHello(nil, nil)
	partial := func(p *raw) { // all of a frame but its end
		frame := p.framed(inEvent("loose", append(unhex("c5 f000"), make([]byte, 0xf000)...)))
		p.write(frame[:len(frame)-1])
	}
	return []siege{
		{name: "silence on a socket", transports: "ws", state: "bare", do: nothing, want: 408, held: 24 << 10},
		{name: "silence on a socket", transports: "tcp", state: "bare", do: nothing, want: codec.HandshakeTimeout, held: 24 << 10},
		{name: "a head, byte by byte", transports: "ws", state: "bare", do: nothing, drip: dripped(head), want: 408, held: 24 << 10},
		{name: "a head, line by line", transports: "ws", state: "bare", do: func(p *raw) { p.write([]byte("GET /volley HTTP/1.1\r\n")) },
			drip: func(p *raw) { p.write([]byte("X-Slow: yes\r\n")) }, want: 408, held: 24 << 10},
		{name: "no HELLO", transports: "ws tcp", state: "new", do: nothing, want: codec.HandshakeTimeout, held: 24 << 10},
		{name: "half of HELLO", transports: "ws tcp", state: "new", do: func(p *raw) { p.write(p.framed(hello)[:5]) },
			want: codec.HandshakeTimeout, held: 24 << 10},
		{name: "HELLO of 60 KiB, but for its end", transports: "ws tcp", state: "new", do: partial, want: codec.HandshakeTimeout, held: 160 << 10},
		{name: "pings in place of HELLO", transports: "ws", state: "new", do: nothing,
			drip: func(p *raw) { p.write(masked(fin|opPing, "x")) }, want: codec.HandshakeTimeout, held: 24 << 10},
		{name: "fragments in place of HELLO", transports: "ws", state: "new", do: func(p *raw) { p.write(masked(opBinary, "x")) },
			drip: func(p *raw) { p.write(masked(opContinuation, "x")) }, want: codec.HandshakeTimeout, held: 24 << 10},
		{name: "no answer to PINGs", transports: "ws tcp", state: "pen", do: nothing, want: codec.IdleTimeout, held: 16 << 10},
		{name: "60 KiB of a frame, and then nothing", transports: "ws tcp", state: "pen", do: partial, want: codec.IdleTimeout, held: 160 << 10},
		{name: "a frame, byte by byte", transports: "ws tcp", state: "pen", do: func(p *raw) { p.write(p.framed(make([]byte, 1<<14))[:8]) },
			drip: dripped([]byte{0}), want: codec.IdleTimeout, held: 16 << 10},
		{name: "nothing is read", transports: "ws tcp", state: "pen", do: nothing, deaf: true, want: gone, held: 16 << 10},
		{name: "asking without reading", transports: "ws tcp", state: "hall", do: func(p *raw) {
			var b []byte
			for seq := range uint64(100) {
				b = append(b, p.framed(volleyOf(seq+1, 0, request("bulk", unhex("cd f000"), seq+1)))...)
			}
			p.write(b)
		}, deaf: true, want: gone, held: 2<<20 + 256<<10}, // a frame of one tick's answers, and MaxBacklog
		{name: "bad frames, and then no end", transports: "ws tcp", state: "pen", do: say(unhex("80")), deaf: true,
			drip: func(p *raw) { p.write([]byte{0}) }, want: gone, held: 16 << 10},
	}
}

// Peers that take their time, or all of it, get no more of that than the timeouts say, and little memory meanwhile.
func TestHostileSieges(t *testing.T) {
	a := newArena(t, volley.Config{HandshakeTimeout: patience, PingInterval: patience})
	a.besiege(sieges())
}

func TestHostileSiegesOfTLS(t *testing.T) {
	a := newArena(t, volley.Config{HandshakeTimeout: patience, PingInterval: patience, TLS: certificate(t)})
	hello := append(unhex("16 0301 3fff 01 003ffb 0303"), make([]byte, 1<<14)...)
	a.besiege([]siege{
		{name: "silence on a socket", transports: "ws tcp", state: "bare", do: (*raw).bare, want: cut, held: 24 << 10},
		{name: "a hello, byte by byte", transports: "ws tcp", state: "bare", do: func(p *raw) {
			p.bare()
			p.write(hello[:10])
		}, drip: func(p *raw) { p.write([]byte{0}) }, want: cut, held: 32 << 10},
		{name: "a hello of 16 KiB, but for its end", transports: "ws tcp", state: "bare", do: func(p *raw) {
			p.bare()
			p.write(hello[:1<<14])
		}, want: cut, held: 96 << 10},
		{name: "a record of 16 KiB, but for its end", transports: "ws tcp", state: "pen", do: func(p *raw) {
			p.bare()
			p.write(append(unhex("17 0303 4000"), make([]byte, 16_000)...))
		}, want: gone, held: 128 << 10},
	})
}

// besiege begins all sieges, one after the other, and then waits for the end of each.
func (a *arena) besiege(all []siege) {
	t := a.t
	before := a.rest(t)
	var going sync.WaitGroup
	var begun []func()
	for _, s := range all {
		for transport := range strings.FieldsSeq(s.transports) {
			name := s.name + " by " + transport
			start := heap()
			var peers []*raw
			for range besiegers {
				p := a.foe(t, transport, s.state)
				if s.deaf {
					p.deafen()
				}
				s.do(p)
				peers = append(peers, p)
			}
			time.Sleep(20 * time.Millisecond) // for what was sent to arrive
			held := (heap() - start) / besiegers
			if heapTells {
				assert.Less(t, held, s.held, "%s: bytes for each peer", name)
			}
			t.Logf("%-50s %6d bytes a peer", name, held)
			for _, p := range peers {
				begun = append(begun, func() { assert.Equal(t, s.want, s.outcome(p), name) })
				going.Go(func() { s.keepUp(p) })
			}
		}
	}
	a.newcomer(t, "ws", "pen")
	a.settle(t)
	for _, end := range begun {
		going.Go(end)
	}
	going.Wait()
	a.unharmed(t, "tcp", before, 2<<20)
}

// keepUp drips until the end.
func (s *siege) keepUp(p *raw) {
	for s.drip != nil && !p.over.Load() {
		s.drip(p)
		time.Sleep(50 * time.Millisecond)
	}
}

// deafFor is longer than the server puts up with anything in these tests: an idle peer is found in the third ping interval, has two
// seconds to go, and the kernel gives up on it after two more.
const deafFor = 3*patience + 3*time.Second

// outcome waits for the end of a peer.
func (s *siege) outcome(p *raw) codec.Code {
	defer p.over.Store(true)
	if s.deaf {
		time.Sleep(deafFor)
	}
	if s.want == 408 {
		defer p.conn.Close()
		return p.status()
	}
	if s.want == gone {
		_, err := io.Copy(io.Discard, p.conn)
		assert.NotErrorIs(p.t, err, os.ErrDeadlineExceeded, s.name)
		_ = p.conn.Close()
		return gone
	}
	return p.end()
}
