package netio

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// What comes glued to the first frame, and what comes while Open blocks, is handled after it and in order.
func TestNothingIsLostBehindHello(t *testing.T) {
	eachMode(t, Config{MaxBacklog: 1 << 20}, func(t *testing.T, s *server) {
		for name, pause := range map[string]time.Duration{"at once": 0, "Open blocks": 50 * time.Millisecond} {
			t.Run(name, func(t *testing.T) {
				open := &recorder{}
				s.hub.open = func(c *Conn, r *http.Request, first []byte) (Session, error) {
					open = &recorder{h: s.hub, c: c, first: string(first), closed: make(chan struct{}), drained: make(chan struct{}, 9)}
					time.Sleep(pause)
					s.hub.sessions <- open
					return open, nil
				}
				helper := &peer{tcp: s.tcp}
				var glued []byte
				var want []string
				for i := range 300 {
					body := strings.Repeat(string(rune('a'+i%26)), 1+i*7%500)
					want = append(want, body)
					glued = append(glued, helper.frame(body)...)
				}
				half := len(glued)/2 + 3
				p := s.shake(t, append(helper.frame("hello"), glued[:half]...)...)
				time.Sleep(pause / 2)
				p.write(glued[half:])
				for _, body := range want {
					p.want(body)
				}
				session := s.hub.next(t)
				require.Equal(t, "hello", session.first)
				require.Equal(t, want, session.all())
			})
		}
	})
}

// What came before the end of the stream is handled before it.
func TestNothingIsLostBeforeFIN(t *testing.T) {
	for _, m := range modes {
		if m.secure {
			continue // the client cannot half-close without a word of TLS
		}
		t.Run(m.name, func(t *testing.T) {
			s := serve(t, m, Config{MessagesPerSecond: -1, BytesPerSecond: -1}, newHub())
			for range 20 {
				p := s.shake(t)
				var b []byte
				for range 500 {
					b = append(b, p.frame(strings.Repeat("x", 500))...)
				}
				p.write(append(p.frame("hello"), b...))
				require.NoError(t, p.Conn.(*net.TCPConn).CloseWrite())
				session := s.hub.next(t)
				session.wantClosed(t, 0)
				require.Len(t, session.all(), 500)
			}
		})
	}
}

func TestFragmentedMessages(t *testing.T) {
	for _, m := range modes {
		if m.tcp {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			s := serve(t, m, Config{}, newHub())
			p := s.shake(t)
			p.write(concat(masked(opBinary, "hel"), masked(fin|opPing, "mid"), masked(fin|opContinuation, "lo")))
			op, body, err := p.read()
			require.NoError(t, err)
			require.Equal(t, byte(opPong), op)
			require.Equal(t, "mid", body)
			require.Equal(t, "hello", s.hub.next(t).first)
			for _, b := range concat(masked(opBinary, "a"), masked(fin|opPing, ""), masked(fin|opContinuation, "b")) {
				p.write([]byte{b})
			}
			op, _, err = p.read()
			require.NoError(t, err)
			require.Equal(t, byte(opPong), op)
			p.want("ab")
		})
	}
}

// A peer that does not read costs MaxBacklog and is closed; the others go on.
func TestSlowConsumer(t *testing.T) {
	const backlog = 256 << 10
	eachMode(t, Config{MaxBacklog: backlog}, func(t *testing.T, s *server) {
		p, session := s.connect(t)
		other, _ := s.connect(t)
		buf := make([]byte, Headroom+16<<10)
		var err error
		most := 0
		for range 10000 {
			if err = session.c.Send(buf, Headroom); err != nil {
				break
			}
			most = max(most, session.c.Pending())
		}
		require.ErrorIs(t, err, ErrClosed)
		require.LessOrEqual(t, most, backlog+backlog/8)
		require.Greater(t, most, 0)
		session.wantClosed(t, codec.SlowConsumer)
		require.ErrorIs(t, session.c.Send(buf, Headroom), ErrClosed)
		other.send("fine")
		other.want("fine")
		p.wantEnd(codec.SlowConsumer) // it reads at last: all that was sent, and why it ended
	})
}

// A stalled peer that never reads is cut off, and its memory is given back.
func TestStalledForEver(t *testing.T) {
	for _, m := range []mode{modes[0], modes[5]} { // on a poller, and off
		t.Run(m.name, func(t *testing.T) {
			s := serve(t, m, Config{MaxBacklog: 1 << 20}, newHub())
			var sessions []*recorder
			for range 10 {
				_, session := s.connect(t)
				sessions = append(sessions, session)
			}
			before := heap()
			buf := make([]byte, Headroom+16<<10)
			for _, session := range sessions {
				for session.c.Send(buf, Headroom) == nil {
				}
			}
			require.Less(t, heap()-before, int64(10*2<<20)+4<<20)
			for _, session := range sessions {
				session.wantClosed(t, codec.SlowConsumer)
			}
			eventually(t, "all are cut off", func() bool { return s.Stats().Open == 0 })
		})
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools give up what they hold at the second
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Whoever sees unsent bytes is told when they have gone, and Pending is then 0.
func TestDrained(t *testing.T) {
	eachMode(t, Config{MaxBacklog: 64 << 20}, func(t *testing.T, s *server) {
		p, session := s.connect(t)
		require.Zero(t, session.c.Pending())
		buf := make([]byte, Headroom+32<<10)
		sent := 0
		for ; session.c.Pending() < 32<<20; sent++ { // more than the kernel ever takes
			require.NoError(t, session.c.Send(buf, Headroom))
		}
		for len(session.drained) > 0 {
			<-session.drained
		}
		select {
		case <-session.drained:
			require.Fail(t, "Drained before anything was read")
		case <-time.After(50 * time.Millisecond):
		}
		for range sent {
			_, body, err := p.read()
			require.NoError(t, err)
			require.Len(t, body, 32<<10)
		}
		select {
		case <-session.drained:
		case <-time.After(5 * time.Second):
			require.Fail(t, "not drained")
		}
		eventually(t, "nothing is pending", func() bool { return session.c.Pending() == 0 })
	})
}

// Many senders, each of whom waits for Drained whenever it sees unsent bytes, as rooms do: nobody waits for ever.
func TestDrainedIsNeverMissed(t *testing.T) {
	eachMode(t, Config{MaxBacklog: 1 << 20, PingInterval: time.Second}, func(t *testing.T, s *server) {
		p, session := s.connect(t)
		const senders, each = 4, 500
		var gate sync.Mutex
		cond := sync.NewCond(&gate)
		generation := 0
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for {
				select {
				case <-session.drained:
				case <-stop:
					return
				}
				gate.Lock()
				generation++
				cond.Broadcast()
				gate.Unlock()
			}
		}()
		var all sync.WaitGroup
		for range senders {
			all.Go(func() {
				buf := make([]byte, Headroom+4<<10)
				for range each {
					gate.Lock()
					for g := generation; session.c.Pending() > 0 && g == generation; {
						cond.Wait()
					}
					gate.Unlock()
					if session.c.Send(buf, Headroom) != nil {
						return
					}
				}
			})
		}
		got := 0
		for got < senders*each {
			op, body, err := p.read()
			require.NoError(t, err)
			if op != opBinary || len(body) < 100 {
				p.send("\x92\x08\x00") // a PONG that answers nothing, and keeps us from being idle
				continue
			}
			got++
		}
		all.Wait()
	})
}

// Close may come from anywhere; the first one counts, nothing is sent after it, and Closed comes once.
func TestCloseFromEverywhere(t *testing.T) {
	eachMode(t, Config{MaxBacklog: 1 << 30}, // it sends without a look at what is unsent
		func(t *testing.T, s *server) {
			s.hub.message = func(r *recorder, frame []byte) error {
				r.c.Close(codec.Replaced, "inside Message", time.Second)
				return nil
			}
			for range 10 {
				p, session := s.connect(t)
				var all sync.WaitGroup
				for range 4 {
					all.Go(func() {
						for session.c.Send(append(make([]byte, Headroom), "tick"...), Headroom) == nil {
						}
					})
				}
				all.Go(func() { session.c.Close(codec.Replaced, "outside", time.Second) })
				p.write(concat(p.frame("a"), p.frame("b")))
				p.wantEnd(codec.Replaced)
				_ = p.Close()
				all.Wait()
				session.wantClosed(t, codec.Replaced)
				require.Zero(t, session.c.RTT())
			}
			eventually(t, "all are gone", func() bool { return s.Stats().Open == 0 })
			for len(s.hub.sessions) > 0 {
				session := <-s.hub.sessions
				require.Equal(t, 1, session.closes)
				require.Zero(t, session.after)
			}
		})
}

// A peer that ignores BYE is cut off after the grace.
func TestClosingIsForced(t *testing.T) {
	eachMode(t, Config{}, func(t *testing.T, s *server) {
		t.Parallel()
		_, session := s.connect(t)
		session.c.Close(codec.Normal, "", 0)
		session.wantClosed(t, codec.Normal)
		start := time.Now()
		eventually(t, "it is cut off", func() bool { return s.Stats().Open == 0 })
		require.Less(t, time.Since(start), closeGrace+sweepLongest+time.Second)
	})
}

func TestSendRefuses(t *testing.T) {
	s := serve(t, modes[0], Config{}, newHub())
	_, session := s.connect(t)
	require.Error(t, session.c.Send(make([]byte, 100), Headroom-1))
	require.Error(t, session.c.Send(make([]byte, Headroom), Headroom))
}

func TestPings(t *testing.T) {
	eachMode(t, Config{PingInterval: 400 * time.Millisecond}, func(t *testing.T, s *server) {
		t.Parallel()
		p, session := s.connect(t)
		start := time.Now()
		for range 4 {
			_, ping, err := p.read()
			require.NoError(t, err)
			require.Equal(t, "\x92\x07", ping[:2])
			time.Sleep(5 * time.Millisecond)
			p.send("\x92\x08" + ping[2:])
		}
		require.Greater(t, time.Since(start), time.Second)
		eventually(t, "the round trip is known", func() bool { return session.c.RTT() > 0 })
		require.GreaterOrEqual(t, session.c.RTT(), 4*time.Millisecond)
		require.Less(t, session.c.RTT(), 400*time.Millisecond)
		require.GreaterOrEqual(t, s.Stats().Pings, uint64(4))
		require.Empty(t, session.all(), "sessions do not see PONGs")

		p.send("\x92\x07\xcd\x12\x34")
		_, pong, err := p.read()
		for err == nil && pong[1] == 7 { // a PING may come between
			_, pong, err = p.read()
		}
		require.NoError(t, err)
		require.Equal(t, "\x92\x08\xcd\x12\x34", pong)

		p.wantEnd(codec.IdleTimeout) // we answer no more
		session.wantClosed(t, codec.IdleTimeout)
	})
}

func TestPingsAreSpread(t *testing.T) {
	e := &Engine{cfg: Config{PingInterval: 25 * time.Second}.withDefaults(), started: time.Now()}
	const conns, slots = 10000, 100
	var count [slots]int
	for n := range uint64(conns) {
		at := e.firstPing(n) - e.now()
		half := int64(e.cfg.PingInterval / 2)
		require.InDelta(t, half+half/2, at, float64(half/2)+float64(time.Second))
		count[min(max((at-half)*slots/half, 0), slots-1)]++
	}
	for _, n := range count {
		require.InDelta(t, conns/slots, n, conns/slots/4)
	}
	e.cfg.PingInterval = -1
	require.Zero(t, e.firstPing(1))
}

func TestAbruptEnds(t *testing.T) {
	eachMode(t, Config{}, func(t *testing.T, s *server) {
		p, session := s.connect(t)
		raw := p.Conn
		if u, ok := raw.(interface{ NetConn() net.Conn }); ok {
			raw = u.NetConn()
		}
		_ = raw.(*net.TCPConn).SetLinger(0)
		_ = raw.Close() // RST
		session.wantClosed(t, 0)
		_, err := io.ReadAll(p.r)
		require.Error(t, err)
		require.Equal(t, uint64(1), s.Stats().Lost)
	})
}

// A frame that finds the connection ready may be longer than MaxBacklog; only what waits behind it is bounded.
func TestALongFrameMayWait(t *testing.T) {
	const backlog, long = 32 << 10, 14 << 20
	eachMode(t, Config{MaxBacklog: backlog}, func(t *testing.T, s *server) {
		p, session := s.connect(t)
		frame := []byte(strings.Repeat("x", Headroom+long))
		require.NoError(t, session.c.Send(frame, Headroom))
		require.Greater(t, session.c.Pending(), backlog, "the kernel took all of it")
		behind := strings.Repeat("y", 1000)
		for range backlog / 1100 {
			require.NoError(t, session.c.Send([]byte(strings.Repeat("h", Headroom)+behind), Headroom))
		}
		p.want(strings.Repeat("x", long))
		for range backlog / 1100 {
			p.want(behind)
		}
		<-session.drained
		require.NoError(t, session.c.Send(frame, Headroom), "and again")
		var err error
		for range backlog/1000 + 1 {
			err = session.c.Send([]byte(strings.Repeat("h", Headroom)+behind), Headroom)
		}
		require.ErrorIs(t, err, ErrClosed)
		session.wantClosed(t, codec.SlowConsumer)
	})
}

// A peer that says BYE hears nothing more, and is not taken for lost.
func TestBye(t *testing.T) {
	eachMode(t, Config{}, func(t *testing.T, s *server) {
		p, session := s.connect(t)
		session.c.Bye(codec.GoingAway)
		require.ErrorIs(t, session.c.Send(make([]byte, Headroom+1), Headroom), ErrClosed)
		session.wantClosed(t, codec.Normal)
		op, body, err := p.read()
		if !p.tcp {
			require.NoError(t, err)
			require.Equal(t, byte(opClose), op)
			require.Equal(t, "\x03\xe8", body)
			_, _, err = p.read()
		}
		require.ErrorIs(t, err, io.EOF)
	})
}
