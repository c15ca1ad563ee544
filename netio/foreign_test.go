package netio

import (
	"context"
	stdtls "crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// foreignHub is a hub whose sessions speak first and echo text as text.
func foreignHub() *hub {
	h := newHub()
	h.open = func(c *Conn, r *http.Request, first []byte) (Session, error) {
		if first != nil || r == nil {
			return nil, errors.New("nothing comes first but the request")
		}
		s := &recorder{h: h, c: c, closed: make(chan struct{}), drained: make(chan struct{}, 1024)}
		h.sessions <- s
		return s, c.SendMessages(AppendMessage(nil, true, []byte("welcome")), 1)
	}
	h.message = func(s *recorder, p []byte) error {
		return s.c.SendMessages(AppendMessage(nil, s.c.Text(), p), 1)
	}
	return h
}

// eachForeign runs a test for every way of a WebSocket into an Engine of foreign messages.
func eachForeign(t *testing.T, cfg Config, f func(t *testing.T, s *server)) {
	if cfg.Foreign == nil {
		cfg.Foreign = &Foreign{}
	}
	for _, m := range modes {
		if !m.tcp {
			t.Run(m.name, func(t *testing.T) { f(t, serve(t, m, cfg, foreignHub())) })
		}
	}
}

// greet is shake and the server's first message.
func (s *server) greet(t *testing.T) (*peer, *recorder) {
	t.Helper()
	p := s.shake(t)
	p.wantText("welcome")
	return p, s.hub.next(t)
}

func (p *peer) wantText(body string) {
	p.t.Helper()
	op, got, err := p.read()
	require.NoError(p.t, err)
	require.Equal(p.t, byte(opText), op)
	require.Equal(p.t, body, got)
}

func (p *peer) sendText(body string) {
	p.t.Helper()
	p.write(masked(fin|opText, body))
}

// wantClose reads up to the end of the connection, a close frame with the code, and returns what came before it.
func (p *peer) wantClose(code codec.Code) (reason string, before []happening) {
	p.t.Helper()
	for {
		op, body, err := p.read()
		require.NoError(p.t, err)
		switch op {
		case opClose:
			require.GreaterOrEqual(p.t, len(body), 2)
			require.Equal(p.t, code, codec.Code(binary.BigEndian.Uint16([]byte(body))), "close frame: %q", body)
			_, _, err = p.read()
			require.ErrorIs(p.t, err, io.EOF)
			return body[2:], before
		case opText:
			before = append(before, happening{evText, body})
		default:
			before = append(before, happening{evMessage, body})
		}
	}
}

func TestForeignEcho(t *testing.T) {
	eachForeign(t, Config{MaxBacklog: 1 << 20}, func(t *testing.T, s *server) {
		p, session := s.greet(t)
		for _, body := range []string{"", "a", "é€😀", strings.Repeat("b", 125), strings.Repeat("c", 126), strings.Repeat("d", 1<<16-1), strings.Repeat("e", 1<<16)} {
			p.sendText(body)
			p.wantText(body)
			p.send(body)
			p.want(body)
		}
		for _, body := range []string{"\xff\xfe", "\x92\x07\x05", "\x92\x08\x05"} { // no text; PING and PONG of Volley's
			p.send(body)
			p.want(body)
		}
		require.Len(t, session.all(), 17)
		require.Zero(t, session.c.RTT())
		require.True(t, session.c.Spoke())
		require.EqualValues(t, 17, s.Stats().MessagesIn)
		eventually(t, "all are counted", func() bool { return s.Stats().MessagesOut == 18 })
		_ = p.Close()
		session.wantClosed(t, 0)
		eventually(t, "the connection is gone", func() bool { st := s.Stats(); return st.Open == 0 && st.Sockets == 0 })
	})
}

// What comes with the request, and while Open blocks, is handled after it and in order; what Open sends comes first.
func TestForeignOpenSpeaksFirst(t *testing.T) {
	eachForeign(t, Config{}, func(t *testing.T, s *server) {
		open := s.hub.open
		s.hub.open = func(c *Conn, r *http.Request, first []byte) (Session, error) {
			time.Sleep(50 * time.Millisecond)
			return open(c, r, first)
		}
		p := s.shake(t, concat(masked(fin|opText, "glued"), masked(opBinary, "in "))...)
		time.Sleep(20 * time.Millisecond)
		p.write(masked(fin|opContinuation, "parts"))
		p.wantText("welcome")
		p.wantText("glued")
		p.want("in parts")
	})
}

// The deadline of the handshake is Open's; afterwards a peer may be silent, and before it nobody is pinged.
func TestForeignHandshake(t *testing.T) {
	t.Run("silence", func(t *testing.T) {
		eachForeign(t, Config{HandshakeTimeout: 300 * time.Millisecond}, func(t *testing.T, s *server) {
			t.Parallel()
			p, _ := s.greet(t)
			time.Sleep(800 * time.Millisecond)
			p.sendText("still here")
			p.wantText("still here")
		})
	})
	t.Run("a slow Open", func(t *testing.T) {
		cfg := Config{PingInterval: 200 * time.Millisecond, Foreign: &Foreign{Ping: []byte("2"), PingTimeout: 300 * time.Millisecond}}
		eachForeign(t, cfg, func(t *testing.T, s *server) {
			t.Parallel()
			open := s.hub.open
			s.hub.open = func(c *Conn, r *http.Request, first []byte) (Session, error) {
				time.Sleep(700 * time.Millisecond)
				return open(c, r, first)
			}
			p, _ := s.greet(t)
			p.wantText("2")
		})
	})
	t.Run("too slow an Open", func(t *testing.T) {
		eachForeign(t, Config{HandshakeTimeout: 300 * time.Millisecond}, func(t *testing.T, s *server) {
			t.Parallel()
			release := make(chan struct{})
			s.hub.open = func(c *Conn, r *http.Request, first []byte) (Session, error) {
				<-release
				return nil, codec.Errorf(codec.Unauthorized, "too late")
			}
			p := s.shake(t)
			eventually(t, "the sweeper gives up", func() bool { return s.Stats().Closed[codec.HandshakeTimeout] == 1 })
			close(release)
			_, before := p.wantClose(codec.HandshakeTimeout)
			require.Empty(t, before)
		})
	})
	t.Run("a refusal", func(t *testing.T) {
		eachForeign(t, Config{}, func(t *testing.T, s *server) {
			s.hub.open = func(c *Conn, r *http.Request, first []byte) (Session, error) {
				_ = c.SendMessages(AppendMessage(nil, true, []byte("a last word")), 1)
				return nil, codec.Errorf(codec.Unauthorized, "who?")
			}
			reason, before := s.shake(t).wantClose(codec.Unauthorized)
			require.Equal(t, "who?", reason)
			require.Equal(t, []happening{{evText, "a last word"}}, before)
		})
	})
}

func TestForeignFragments(t *testing.T) {
	input := concat(
		masked(opText, "h\xc3"), masked(fin|opPing, "mid"), masked(opContinuation, ""), masked(fin|opContinuation, "\xa9!"),
		masked(opText, ""), masked(fin|opContinuation, ""),
		masked(opBinary, "\xff"), masked(fin|opContinuation, "\xfe"),
		masked(opText, "a"), masked(opContinuation, "b"), masked(fin|opContinuation, "c"),
	)
	eachForeign(t, Config{}, func(t *testing.T, s *server) {
		p, session := s.greet(t)
		expect := func() {
			op, body, err := p.read()
			require.NoError(t, err)
			require.Equal(t, byte(opPong), op)
			require.Equal(t, "mid", body)
			p.wantText("hé!")
			p.wantText("")
			p.want("\xff\xfe")
			p.wantText("abc")
		}
		p.write(input)
		expect()
		for _, b := range input {
			p.write([]byte{b})
		}
		expect()
		require.Len(t, session.all(), 8)
	})
}

func TestForeignRefusals(t *testing.T) {
	eachForeign(t, Config{MessagesPerSecond: -1}, func(t *testing.T, s *server) {
		for _, tt := range hostileForeign {
			t.Run(tt.name, func(t *testing.T) {
				p, session := s.greet(t)
				p.write(tt.input)
				_, before := p.wantClose(tt.code)
				require.Empty(t, before, "no BYE either")
				session.wantClosed(t, tt.code)
				require.Empty(t, session.all())
			})
		}
	})
}

// A peer is pinged in the protocol's own way, and is not idle as long as it answers.
func TestForeignPings(t *testing.T) {
	cfg := Config{PingInterval: 200 * time.Millisecond, Foreign: &Foreign{Ping: []byte("2"), PingTimeout: time.Second}}
	eachForeign(t, cfg, func(t *testing.T, s *server) {
		t.Parallel()
		s.hub.message = func(*recorder, []byte) error { return nil }
		p, session := s.greet(t)
		start := time.Now()
		for range 8 {
			p.wantText("2")
			p.sendText("3")
		}
		require.Greater(t, time.Since(start), time.Second)
		require.GreaterOrEqual(t, s.Stats().Pings, uint64(7)) // the last one may not have been counted yet
		require.Zero(t, s.Stats().Pongs)
		require.Zero(t, session.c.RTT())
		require.Zero(t, s.Stats().Closed[codec.IdleTimeout])
		eventually(t, "sessions see the answers", func() bool { return len(session.all()) == 8 })
	})
}

func TestForeignIdleness(t *testing.T) {
	const interval, timeout = 100 * time.Millisecond, 300 * time.Millisecond
	for name, ping := range map[string][]byte{"pinged": []byte("2"), "not pinged": nil} {
		t.Run(name, func(t *testing.T) {
			eachForeign(t, Config{PingInterval: interval, Foreign: &Foreign{Ping: ping, PingTimeout: timeout}}, func(t *testing.T, s *server) {
				t.Parallel()
				start := time.Now()
				p, session := s.greet(t)
				_, before := p.wantClose(codec.IdleTimeout)
				require.GreaterOrEqual(t, time.Since(start), interval+timeout)
				require.Less(t, time.Since(start), interval+timeout+2*time.Second)
				for _, h := range before {
					require.Equal(t, happening{evText, "2"}, h)
				}
				require.Equal(t, ping != nil, len(before) > 0)
				session.wantClosed(t, codec.IdleTimeout)
				_ = p.Close()
				eventually(t, "all is given back", func() bool { return s.Stats().Sockets == 0 && s.Stats().Buffered == 0 })
			})
		})
	}
}

// A frame that comes in part is silence.
func TestForeignDripping(t *testing.T) {
	const interval = 200 * time.Millisecond
	cfg := Config{PingInterval: interval, Foreign: &Foreign{Ping: []byte("2"), PingTimeout: interval}}
	eachForeign(t, cfg, func(t *testing.T, s *server) {
		t.Parallel()
		p, session := s.greet(t)
		_ = p.SetDeadline(time.Time{})
		drip(p.Conn, masked(fin|opText, strings.Repeat("x", 10<<10)), 10*time.Millisecond)
		session.wantClosed(t, codec.IdleTimeout)
		eventually(t, "all is given back", func() bool { return s.Stats().Sockets == 0 && s.Stats().Buffered == 0 })
	})
}

// The first ping comes within an interval of Open, with the sweeper's round.
func TestForeignFirstPing(t *testing.T) {
	for _, interval := range []time.Duration{50 * time.Millisecond, time.Second, 25 * time.Second} {
		e := &Engine{cfg: Config{PingInterval: interval, Foreign: &Foreign{}}.withDefaults(), started: time.Now()}
		for n := range uint64(1000) {
			begin := e.now()
			at := e.firstPing(n)
			require.GreaterOrEqual(t, at-begin, int64(interval/2))
			require.LessOrEqual(t, at-e.now()+int64(e.cfg.sweepRound()), int64(interval))
		}
	}
}

// Codes and reasons go out as they are, in a close frame and nothing else.
func TestForeignClose(t *testing.T) {
	eachForeign(t, Config{}, func(t *testing.T, s *server) {
		s.hub.message = func(*recorder, []byte) error { return codec.Errorf(4321, "not so") }
		for _, code := range []codec.Code{1000, 1008, 3000, 4000, 4999} {
			p, session := s.greet(t)
			session.c.Close(code, "enough", time.Second)
			reason, before := p.wantClose(code)
			require.Equal(t, "enough", reason)
			require.Empty(t, before)
			session.wantClosed(t, code)
			require.ErrorIs(t, session.c.SendMessages(AppendMessage(nil, true, []byte("x")), 1), ErrClosed)
		}
		p, session := s.greet(t)
		p.sendText("x")
		reason, before := p.wantClose(4321)
		require.Equal(t, "not so", reason)
		require.Empty(t, before)
		session.wantClosed(t, 4321)
	})
}

func TestForeignPeerCloses(t *testing.T) {
	eachForeign(t, Config{}, func(t *testing.T, s *server) {
		p, session := s.greet(t)
		p.write(masked(fin|opClose, ""))
		op, body, err := p.read()
		require.NoError(t, err)
		require.Equal(t, byte(opClose), op)
		require.Empty(t, body)
		session.wantClosed(t, codec.Normal)
	})
}

func TestForeignDrain(t *testing.T) {
	eachForeign(t, Config{DrainTo: "wss://next.example/"}, func(t *testing.T, s *server) {
		stays, staysSession := s.greet(t)
		goes, goesSession := s.greet(t)
		eventually(t, "both are open", func() bool { return s.Stats().Handshakes == 0 })
		s.BeginDrain(time.Now().Add(5 * time.Second))
		eventually(t, "one is told to go", func() bool {
			s.GoAway(func(ns Session) bool { return ns == Session(goesSession) })
			return goesSession.c.reason.Load() != nil
		})
		_, before := goes.wantClose(codec.GoingAway)
		require.Empty(t, before)
		_ = goes.Close()
		goesSession.wantClosed(t, codec.GoingAway)
		stays.sendText("still here")
		stays.wantText("still here")
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(t.Context()) }()
		_, before = stays.wantClose(codec.GoingAway)
		require.Empty(t, before)
		_ = stays.Close()
		staysSession.wantClosed(t, codec.GoingAway)
		require.NoError(t, <-done)
	})
}

// Many messages go out with one write, and the same bytes to many connections at once.
func TestSendMessages(t *testing.T) {
	const conns, messages = 4, 300
	var b []byte
	var want []happening
	for i := range messages {
		body, text := strings.Repeat(string(rune('a'+i%26)), i*7%500), i%3 > 0
		b = AppendMessage(b, text, []byte(body))
		want = append(want, happening{map[bool]event{false: evMessage, true: evText}[text], body})
	}
	eachForeign(t, Config{MaxBacklog: 1 << 20}, func(t *testing.T, s *server) {
		var peers []*peer
		var sessions []*recorder
		for range conns {
			p, session := s.greet(t)
			peers, sessions = append(peers, p), append(sessions, session)
		}
		before := s.Stats()
		var all sync.WaitGroup
		for _, session := range sessions {
			all.Go(func() {
				if err := session.c.SendMessages(b, messages); err != nil {
					t.Error(err)
				}
				session.c.Close(codec.Normal, "", 0)
			})
		}
		for _, p := range peers {
			_, got := p.wantClose(codec.Normal)
			require.Equal(t, want, got)
		}
		all.Wait()
		require.EqualValues(t, conns*messages, s.Stats().MessagesOut-before.MessagesOut)
		require.EqualValues(t, conns*len(b), s.Stats().BytesOut-before.BytesOut)
	})
}

func TestSendMessagesRefuses(t *testing.T) {
	b := AppendMessage(nil, true, []byte("x"))
	s := serve(t, modes[0], Config{Foreign: &Foreign{}}, foreignHub())
	_, session := s.greet(t)
	require.ErrorIs(t, session.c.SendMessages(nil, 1), errNoMessages)
	require.ErrorIs(t, session.c.SendMessages(b, 0), errNoMessages)

	s = serve(t, modes[2], Config{Foreign: &Foreign{}}, newHub())
	p, session := s.connect(t)
	require.Equal(t, "hello", session.first, "TCP connections are Volley's")
	require.ErrorIs(t, session.c.SendMessages(b, 1), errNotWeb)
	require.False(t, session.c.Text())
	session.c.Close(codec.Kicked, "", 0)
	p.wantEnd(codec.Kicked)
}

func TestForeignSlowConsumer(t *testing.T) {
	const backlog = 256 << 10
	eachForeign(t, Config{MaxBacklog: backlog}, func(t *testing.T, s *server) {
		p, session := s.greet(t)
		other, _ := s.greet(t)
		body := strings.Repeat("x", 8<<10)
		b := AppendMessage(AppendMessage(nil, true, []byte(body)), false, []byte(body))
		var err error
		most := 0
		for range 10000 {
			if err = session.c.SendMessages(b, 2); err != nil {
				break
			}
			most = max(most, session.c.Pending())
		}
		require.ErrorIs(t, err, ErrClosed)
		require.LessOrEqual(t, most, backlog+backlog/8)
		require.Greater(t, most, 0)
		session.wantClosed(t, codec.SlowConsumer)
		other.sendText("fine")
		other.wantText("fine")
		_, before := p.wantClose(codec.SlowConsumer) // it reads at last
		for i, h := range before {
			require.Equal(t, happening{map[bool]event{false: evText, true: evMessage}[i%2 > 0], body}, h)
		}
		require.Zero(t, len(before)%2)
	})
}

func TestForeignDrained(t *testing.T) {
	eachForeign(t, Config{MaxBacklog: 64 << 20}, func(t *testing.T, s *server) {
		p, session := s.greet(t)
		b := AppendMessage(nil, false, make([]byte, 32<<10))
		sent := 0
		for ; session.c.Pending() < 16<<20; sent++ {
			require.NoError(t, session.c.SendMessages(b, 1))
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

// foreignMirror echoes without allocating.
type foreignMirror struct {
	c   *Conn
	buf []byte
}

func (m *foreignMirror) Message(p []byte) error {
	m.buf = AppendMessage(m.buf[:0], m.c.Text(), p)
	return m.c.SendMessages(m.buf, 1)
}
func (m *foreignMirror) Drained()     {}
func (m *foreignMirror) Closed(error) {}

func TestForeignMessagesAllocateNothing(t *testing.T) {
	for _, m := range []mode{modes[0], modes[4]} {
		t.Run(m.name, func(t *testing.T) {
			h := newHub()
			h.open = func(c *Conn, r *http.Request, first []byte) (Session, error) {
				return &foreignMirror{c, make([]byte, 0, 4096)}, nil
			}
			cfg := unlimited
			cfg.Foreign = &Foreign{}
			p := serve(t, m, cfg, h).shake(t)
			_ = p.SetDeadline(time.Time{})
			frame, echo := masked(fin|opText, strings.Repeat("x", 64)), make([]byte, 2+64)
			require.Zero(t, testing.AllocsPerRun(2000, func() {
				if _, err := p.Write(frame); err != nil {
					panic(err)
				}
				if _, err := io.ReadFull(p.r, echo); err != nil {
					panic(err)
				}
			}))
			require.Equal(t, byte(fin|opText), echo[0])
		})
	}
}

func TestForeignConfig(t *testing.T) {
	for _, f := range []*Foreign{{PingTimeout: -1}, {Ping: []byte{0xff}}} {
		_, err := New(Config{Logger: quiet(), Foreign: f}, newHub())
		require.ErrorContains(t, err, "Foreign.")
	}
	require.Nil(t, Config{}.withDefaults().Foreign)
	require.Equal(t, 20*time.Second, Config{Foreign: &Foreign{}}.withDefaults().Foreign.PingTimeout)
}

// twoEngines are an Engine, a, whose pages at /io are another one, b. far makes sockets seem to come from elsewhere.
func twoEngines(t *testing.T, secure, far bool) (a *server, b *Engine) {
	h := foreignHub()
	b, err := New(Config{Logger: quiet(), Foreign: &Foreign{}, ConnsPerAddress: 1}, h)
	require.NoError(t, err)
	e, err := New(Config{Logger: quiet(), ConnsPerAddress: 2}, newHub())
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	if far {
		ln = &strange{Listener: ln, from: ip("192.0.2.1")}
	}
	var conf *stdtls.Config
	if secure {
		conf = &stdtls.Config{Certificates: []stdtls.Certificate{certificate(t)}}
	}
	pages := http.NewServeMux()
	pages.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "a page") })
	pages.Handle("/io", b)
	done := make(chan error, 1)
	go func() { done <- e.Serve(ln, conf, "/volley", pages) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = e.Shutdown(ctx)
		_ = b.Shutdown(ctx)
		require.NoError(t, <-done)
	})
	return &server{Engine: e, mode: mode{secure: secure}, addr: ln.Addr().String(), hub: h}, b
}

// ask sends a request on a socket of pages and returns the status of its answer, which is read.
func (p *peer) ask(request string, glued ...byte) int {
	p.t.Helper()
	p.write(append([]byte(request+"\r\n"), glued...))
	res, err := http.ReadResponse(p.r, nil)
	require.NoError(p.t, err)
	if res.StatusCode != http.StatusSwitchingProtocols {
		_, err = io.Copy(io.Discard, res.Body)
		require.NoError(p.t, err)
	}
	return res.StatusCode
}

// A socket of one Engine's pages that upgrades into another Engine is the other one's alone.
func TestUpgradeFromAnotherEngine(t *testing.T) {
	for _, tt := range []struct {
		name        string
		secure, far bool
	}{{"plain", false, false}, {"plain from afar", false, true}, {"tls", true, false}, {"tls from afar", true, true}} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := twoEngines(t, tt.secure, tt.far)
			upgrade := strings.Replace(upgradeRequest, "/volley", "/io", 1)
			counted := map[bool]int{true: 1}[tt.far]
			each := map[bool]uint64{false: 2, true: 1}[tt.far] // connections a round
			for round := range uint64(3) {
				p := a.dial(t)
				require.Equal(t, http.StatusOK, p.ask("GET /page HTTP/1.1\r\nHost: x\r\n"))
				require.Equal(t, 1, a.Stats().Sockets)
				require.Equal(t, counted, a.addrs().total())
				require.Equal(t, http.StatusSwitchingProtocols, p.ask(upgrade, masked(fin|opText, "glued")...))
				p.wantText("welcome")
				p.wantText("glued")
				session := a.hub.next(t)
				require.Zero(t, a.totals.pageConns.Load())
				require.Zero(t, a.Stats().Sockets)
				require.Zero(t, a.addrs().total())
				st := b.Stats()
				require.Equal(t, []int{1, 1, counted}, []int{st.Sockets, st.Open, b.addrs().total()})
				require.Equal(t, []uint64{1 + 2*round, 1 + each*round}, []uint64{st.Accepted, st.Opened})
				session.c.wmu.Lock()
				require.Equal(t, tt.far, session.c.nb == nil, "a socket of the system's moves to a poller")
				session.c.wmu.Unlock()
				p.send("\xff")
				p.want("\xff")

				other := a.dial(t) // b takes one of each address
				status := map[bool]int{false: http.StatusSwitchingProtocols, true: http.StatusTooManyRequests}[tt.far]
				require.Equal(t, status, other.ask(upgrade))
				require.Equal(t, counted, a.Stats().Sockets, "who was refused is at the pages still")
				_ = other.Close()
				if !tt.far {
					a.hub.next(t).wantClosed(t, 0)
				}
				_ = p.Close()
				session.wantClosed(t, 0)
				for _, e := range []*Engine{a.Engine, b} {
					eventually(t, "all is given back", func() bool {
						st := e.Stats()
						return st.Sockets == 0 && st.Open == 0 && st.Handshakes == 0 && e.addrs().total() == 0 && e.totals.pageConns.Load() == 0
					})
				}
			}
		})
	}
}

// The Engine of the pages may end before the one that has the socket.
func TestEnginesEndAlone(t *testing.T) {
	for _, secure := range []bool{false, true} {
		a, b := twoEngines(t, secure, false)
		p := a.dial(t)
		require.Equal(t, http.StatusSwitchingProtocols, p.ask(strings.Replace(upgradeRequest, "/volley", "/io", 1)))
		p.wantText("welcome")
		require.NoError(t, a.Shutdown(t.Context()))
		p.sendText("still here")
		p.wantText("still here")
		done := make(chan error, 1)
		go func() { done <- b.Shutdown(t.Context()) }()
		_, before := p.wantClose(codec.GoingAway)
		require.Empty(t, before)
		_ = p.Close()
		require.NoError(t, <-done)
		require.Zero(t, b.Stats().Sockets)
		require.Zero(t, a.Stats().Sockets)
	}
}
