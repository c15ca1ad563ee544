package netio

import (
	"bytes"
	stdtls "crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// strange is a listener whose sockets seem to come from elsewhere.
type strange struct {
	net.Listener
	mu   sync.Mutex
	from netip.Addr // guarded by mu
}

func (l *strange) set(addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.from = ip(addr)
}

func (l *strange) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return &stranger{nc.(*net.TCPConn), net.TCPAddrFromAddrPort(netip.AddrPortFrom(l.from, 1))}, nil
}

type stranger struct {
	*net.TCPConn
	from net.Addr
}

func (s *stranger) RemoteAddr() net.Addr { return s.from }

// logs collects what is logged.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logs) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// serveStrangers serves on a strange listener.
func serveStrangers(t *testing.T, m mode, cfg Config) (*server, *strange) {
	t.Helper()
	h := newHub()
	if cfg.Logger == nil {
		cfg.Logger = quiet()
	}
	e, err := New(cfg, h)
	require.NoError(t, err)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ln := &strange{Listener: inner, from: ip("192.0.2.1")}
	return serveOn(t, e, ln, m, h), ln
}

// wantTurnedAway reads what a socket gets that does not come past the door: a status or, over TCP, BYE with the code.
func (s *server) wantTurnedAway(t *testing.T, status int, code codec.Code) {
	t.Helper()
	p := s.dial(t)
	if s.secure {
		require.ErrorContains(t, p.Conn.(*stdtls.Conn).Handshake(), "access denied")
		return
	}
	if s.tcp {
		p.wantEnd(code)
		return
	}
	res, err := http.ReadResponse(p.r, nil) // before it has said anything
	require.NoError(t, err)
	require.Equal(t, status, res.StatusCode)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	_, err = io.ReadAll(res.Body)
	require.NoError(t, err, "the answer is whole")
}

// An address has as many sockets as it may, whatever they do; one more is told why it is closed. Others are not affected.
func TestConnsPerAddress(t *testing.T) {
	for _, m := range modes[:4] {
		t.Run(m.name, func(t *testing.T) {
			var logged logs
			s, from := serveStrangers(t, m, Config{ConnsPerAddress: 2, Logger: logged.logger()})
			first, session := s.connect(t)
			silent := s.dial(t) // it never says anything
			eventually(t, "the silent one is there", func() bool { return s.Stats().Sockets == 2 })
			s.wantTurnedAway(t, http.StatusTooManyRequests, codec.RateLimited)
			s.wantTurnedAway(t, http.StatusTooManyRequests, codec.RateLimited)
			require.Equal(t, uint64(2), s.Stats().Crowded)
			require.Equal(t, uint64(2), s.Stats().Refused)
			require.Equal(t, 1, strings.Count(logged.String(), "limit=ConnsPerAddress"), "one line for both:\n%s", logged.String())

			from.set("192.0.2.2")
			other, _ := s.connect(t)
			other.send("x")
			other.want("x")

			from.set("192.0.2.1")
			_ = first.Close()
			session.wantClosed(t, 0)
			eventually(t, "there is room again", func() bool { return s.Stats().Sockets == 2 })
			again, _ := s.connect(t)
			again.send("y")
			again.want("y")
			_ = silent.Close()
		})
	}
}

// Handshakes count as they come, also those that lead nowhere.
func TestHandshakesPerAddress(t *testing.T) {
	for _, m := range modes[:4] {
		t.Run(m.name, func(t *testing.T) {
			s, from := serveStrangers(t, m, Config{HandshakesPerSecondPerAddress: 2})
			for range 20 {
				nc, err := net.Dial("tcp", s.addr)
				require.NoError(t, err)
				_ = nc.Close()
			}
			eventually(t, "all have been taken", func() bool { return s.Stats().Accepted == 20 })
			s.wantTurnedAway(t, http.StatusTooManyRequests, codec.RateLimited)
			require.Equal(t, uint64(1), s.Stats().Hasty)
			from.set("192.0.2.2")
			s.connect(t)
			from.set("192.0.2.1")
			time.Sleep(600 * time.Millisecond) // a token
			s.connect(t)
		})
	}
}

// Loopback addresses, which every other test comes from, are not counted; with ClientAddr they may be.
func TestLoopbackIsNotCounted(t *testing.T) {
	for _, m := range []mode{modes[0], modes[2], modes[4]} {
		s := serve(t, m, Config{ConnsPerAddress: 1, HandshakesPerSecondPerAddress: 1}, newHub())
		for range 15 {
			s.connect(t)
		}
		require.Equal(t, 15, s.Stats().Open)
	}
}

// behindProxy is what Config.ClientAddr is in these tests.
func behindProxy(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddr(r.Header.Get("X-Player"))
	return addr
}

// upgradeAs asks for an upgrade in the name of a player, and returns the status.
func (s *server) upgradeAs(t *testing.T, player, before string) (*peer, int) {
	t.Helper()
	p := s.dial(t)
	p.write([]byte(before))
	if before != "" {
		res, err := http.ReadResponse(p.r, nil)
		require.NoError(t, err)
		_, err = io.ReadAll(res.Body)
		require.NoError(t, err)
	}
	p.write([]byte(upgradeRequest + "X-Player: " + player + "\r\n\r\n"))
	res, err := http.ReadResponse(p.r, nil)
	require.NoError(t, err)
	return p, res.StatusCode
}

// Behind a proxy an upgrade counts under its player's address, whichever way it comes in; pages count under none.
func TestClientAddr(t *testing.T) {
	const page = "GET /page HTTP/1.1\r\nHost: game.example\r\n\r\n"
	for _, tt := range []struct {
		mode
		before string
	}{{modes[0], ""}, {modes[0], page}, {modes[1], ""}, {modes[1], page}, {modes[4], ""}, {modes[5], ""}} {
		t.Run(tt.name+map[bool]string{true: " after a page"}[tt.before != ""], func(t *testing.T) {
			s := serve(t, tt.mode, Config{ConnsPerAddress: 2, ClientAddr: behindProxy}, newHub())
			var ann []*peer
			for range 2 {
				p, status := s.upgradeAs(t, "192.0.2.1", tt.before)
				require.Equal(t, http.StatusSwitchingProtocols, status)
				p.send("hello")
				s.hub.next(t)
				ann = append(ann, p)
			}
			_, status := s.upgradeAs(t, "192.0.2.1", tt.before)
			require.Equal(t, http.StatusTooManyRequests, status)
			require.Equal(t, uint64(1), s.Stats().Crowded)
			for _, player := range []string{"192.0.2.2", "nobody", "nobody", "nobody"} {
				_, status := s.upgradeAs(t, player, tt.before)
				require.Equal(t, http.StatusSwitchingProtocols, status, player)
			}
			_ = ann[0].Close()
			eventually(t, "there is room again", func() bool {
				_, status = s.upgradeAs(t, "192.0.2.1", tt.before)
				return status == http.StatusSwitchingProtocols
			})
		})
	}
}

// Every way in and out gives its place back.
func TestPlacesComeBack(t *testing.T) {
	for _, m := range modes {
		for _, proxied := range []bool{false, true} {
			t.Run(m.name+map[bool]string{true: " behind a proxy"}[proxied], func(t *testing.T) {
				t.Parallel()
				cfg := Config{HandshakeTimeout: 300 * time.Millisecond, MaxConns: 6, MaxHandshakes: 8, ConnsPerAddress: 7}
				if proxied {
					cfg.ClientAddr = behindProxy
				}
				s, _ := serveStrangers(t, m, cfg)
				var all sync.WaitGroup
				for i := range 120 {
					all.Go(func() {
						nc, err := net.Dial("tcp", s.addr)
						require.NoError(t, err)
						defer nc.Close()
						_ = nc.SetDeadline(time.Now().Add(time.Second))
						if s.secure && i%7 > 0 {
							nc = stdtls.Client(nc, &stdtls.Config{InsecureSkipVerify: true})
						}
						p := &peer{Conn: nc, tcp: s.tcp}
						switch hello := p.frame("hello"); i % 5 {
						case 0: // nothing at all
						case 1:
							_, _ = p.Write([]byte("GET /page HTTP/1.1\r\nHost: x\r\n\r\n"))
							_, _ = p.Read(make([]byte, 1000))
							_, _ = p.Write(append([]byte(upgradeRequest+"X-Player: 192.0.2.9\r\n\r\n"), hello...))
						case 2:
							_, _ = p.Write([]byte("POST /volley HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"))
						case 3:
							_, _ = p.Write([]byte(upgradeRequest + "\r\n")) // and no first frame
						case 4:
							if !s.tcp {
								hello = append([]byte(upgradeRequest+"X-Player: 192.0.2.9\r\n\r\n"), hello...)
							}
							_, _ = p.Write(hello)
						}
						_, _ = p.Read(make([]byte, 1000))
					})
				}
				all.Wait()
				eventually(t, "all have gone", func() bool { st := s.Stats(); return st.Sockets == 0 && st.Open == 0 && st.Handshakes == 0 })
				require.Zero(t, s.addrs().total())
				s.connect(t)
			})
		}
	}
}

// Sockets stay below the open files, with a reserve for everybody else.
func TestOpenFilesAreNotUsedUp(t *testing.T) {
	for _, m := range modes[:4] {
		t.Run(m.name, func(t *testing.T) {
			e, err := New(Config{Logger: quiet()}, newHub())
			require.NoError(t, err)
			e.maxSockets = 2
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			s := serveOn(t, e, ln, m, e.handler.(*hub))
			s.connect(t)
			p := s.dial(t)
			eventually(t, "both are there", func() bool { return s.Stats().Sockets == 2 })
			s.wantTurnedAway(t, http.StatusServiceUnavailable, codec.Overloaded)
			require.Equal(t, uint64(1), s.Stats().Full)
			_ = p.Close()
			eventually(t, "there is room again", func() bool { return s.Stats().Sockets == 1 })
			s.connect(t)
		})
	}
}

func TestDefaultConns(t *testing.T) {
	for files, want := range map[int]int{64: 40, 256: 232, 1024: 948, 20_000: 18_500, 1 << 20: 1<<20 - 1536, 10: 1} {
		require.Equal(t, want, defaultConns(files), "%d files", files)
	}
	require.Equal(t, defaultConns(openFiles()), Config{}.withDefaults().MaxConns)
	require.Equal(t, -1, Config{MaxConns: -1}.withDefaults().MaxConns)
}

// In a flood few are told why they may not come in; the others are closed at once, and honest ones come in all the same.
func TestFewAreTold(t *testing.T) {
	s, from := serveStrangers(t, modes[2], Config{ConnsPerAddress: 1})
	s.connect(t)
	var flood []net.Conn
	for range 3 * maxTold {
		nc, err := net.Dial("tcp", s.addr)
		require.NoError(t, err)
		flood = append(flood, nc)
	}
	eventually(t, "all are refused", func() bool { return s.Stats().Crowded == 3*maxTold })
	require.LessOrEqual(t, s.telling.Load(), int64(maxTold))
	from.set("192.0.2.2")
	s.connect(t)
	told := 0
	for _, nc := range flood {
		_ = nc.SetDeadline(time.Now().Add(5 * time.Second))
		if b, _ := io.ReadAll(nc); len(b) > 0 {
			told++
		}
		_ = nc.Close()
	}
	require.GreaterOrEqual(t, told, maxTold)
	require.Less(t, told, 3*maxTold)
	eventually(t, "nobody is being told any more", func() bool { return s.telling.Load() == 0 })
}

// What a flood repeats is logged once in a while, with the number of what was left out.
func TestLogbook(t *testing.T) {
	var b logbook
	at := func(d time.Duration) int64 { return int64(d) }
	for _, tt := range []struct {
		text     string
		now      int64
		unlogged int
		ok       bool
	}{
		{"a", at(0), 0, true},
		{"a", at(time.Second), 0, false},
		{"b", at(time.Second), 0, true},
		{"a", at(warnEvery - 1), 0, false},
		{"a", at(warnEvery), 2, true},
		{"a", at(warnEvery + 1), 0, false},
		{"a", at(3 * warnEvery), 1, true},
		{"a", at(9 * warnEvery), 0, true},
	} {
		unlogged, ok := b.due(line{text: tt.text}, tt.now)
		require.Equal(t, tt.ok, ok, "%+v", tt)
		require.Equal(t, tt.unlogged, unlogged, "%+v", tt)
	}
}

// A limit that ends connections is logged with its code, once for many.
func TestLimitsAreLogged(t *testing.T) {
	var logged logs
	s := serve(t, modes[2], Config{MessagesPerSecond: 5, Logger: logged.logger()}, newHub())
	for range 3 {
		p, session := s.connect(t)
		p.write(bytes.Repeat(p.frame("x"), 20))
		session.wantClosed(t, codec.RateLimited)
		p, session = s.connect(t)
		p.write([]byte{0xff, 0xff, 0xff, 0xff})
		session.wantClosed(t, codec.TooBig)
		p, session = s.connect(t)
		_ = p.Close()
		session.wantClosed(t, 0)
	}
	for _, code := range []string{"rate-limited", "too-big"} {
		require.Equal(t, 1, strings.Count(logged.String(), "code="+code), "%s", logged.String())
	}
	require.Equal(t, 2, strings.Count(logged.String(), "\n"), "%s", logged.String())
}
