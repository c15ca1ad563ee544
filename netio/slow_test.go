package netio

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// drip writes b byte by byte until the far end is closed, and then returns what came back.
func drip(nc net.Conn, b []byte, every time.Duration) (got []byte) {
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(every):
			}
			if _, err := nc.Write(b[i%len(b):][:1]); err != nil {
				return
			}
		}
	}()
	got, _ = io.ReadAll(nc)
	close(stop)
	<-done
	return got
}

// A handshake has one deadline, however busy it keeps the server.
func TestDrippingHandshakes(t *testing.T) {
	const timeout = 400 * time.Millisecond
	endless := []byte("GET /volley HTTP/1.1\r\nX-Slow: " + strings.Repeat("a", 4000))
	hello := []byte{22, 3, 1, 0x3f, 0xff, 1, 0, 0x3f, 0xfb, 3, 3} // of TLS, 16 KiB long
	for _, m := range modes[:4] {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, m, Config{HandshakeTimeout: timeout}, newHub())
			start := time.Now()
			within := func(what string) {
				took := time.Since(start)
				require.GreaterOrEqual(t, took, timeout-50*time.Millisecond, what)
				require.Less(t, took, timeout+1500*time.Millisecond, what) // the answer may linger
				start = time.Now()
			}
			nc, err := net.Dial("tcp", s.addr)
			require.NoError(t, err)
			defer nc.Close()
			if s.secure {
				drip(nc, append(hello, make([]byte, 10<<10)...), 5*time.Millisecond)
				within("a hello of TLS")
			} else if !s.tcp {
				require.Contains(t, string(drip(nc, endless, 5*time.Millisecond)), " 408 ")
				within("a head")
			}
			_ = nc.Close()
			eventually(t, "that one has gone", func() bool { return s.Stats().Sockets == 0 })
			p := s.shake(t)
			start = time.Now()
			frame := p.frame(strings.Repeat("x", 10<<10))
			_ = p.SetDeadline(time.Time{})
			drip(p.Conn, frame, 5*time.Millisecond)
			within("a first frame")
			require.Equal(t, uint64(1), s.Stats().Closed[codec.HandshakeTimeout])
			eventually(t, "all is given back", func() bool { return s.Stats().Sockets == 0 })
		})
	}
}

// A peer lives by whole frames: one that writes a byte now and then, and never an answer, is as idle as one that is silent.
func TestDrippingFrames(t *testing.T) {
	const interval = 200 * time.Millisecond
	eachMode(t, Config{PingInterval: interval}, func(t *testing.T, s *server) {
		t.Parallel()
		p, session := s.connect(t)
		start := time.Now()
		frame := p.frame(strings.Repeat("x", 10<<10))
		_ = p.SetDeadline(time.Time{})
		drip(p.Conn, frame, 10*time.Millisecond)
		session.wantClosed(t, codec.IdleTimeout)
		require.Less(t, time.Since(start), 3*interval+closeGrace+time.Second)
		require.Greater(t, len(session.all())+1, 0)
		eventually(t, "all is given back", func() bool { return s.Stats().Sockets == 0 && s.Stats().Buffered == 0 })
	})
}

// A slow peer that does get its frames through is not idle, nor is one whose frames come in fragments.
func TestSlowFramesAreNoSilence(t *testing.T) {
	const interval = 300 * time.Millisecond
	eachMode(t, Config{PingInterval: interval}, func(t *testing.T, s *server) {
		t.Parallel()
		p, session := s.connect(t)
		go func() { _, _ = io.Copy(io.Discard, p.r) }()
		frame := p.frame(strings.Repeat("x", 20))
		for end := time.Now().Add(5 * interval); time.Now().Before(end); {
			for _, b := range frame {
				p.write([]byte{b})
				time.Sleep(4 * time.Millisecond)
			}
		}
		require.Greater(t, len(session.all()), 5)
		require.Zero(t, s.Stats().Closed[codec.IdleTimeout])
	})
}

// A peer that writes and never reads is closed once it has taken nothing for two intervals, and one that reads slowly is not.
func TestNeverReading(t *testing.T) {
	const interval = time.Second // on a loaded machine the slow one may not run for long
	eachMode(t, Config{PingInterval: interval, MaxBacklog: 64 << 20}, func(t *testing.T, s *server) {
		t.Parallel()
		s.hub.message = func(*recorder, []byte) error { return nil }
		deaf, deafSession := s.connect(t)
		slow, slowSession := s.connect(t)
		stop := make(chan struct{})
		defer close(stop)
		every := func(d time.Duration, f func()) {
			for {
				select {
				case <-stop:
					return
				case <-time.After(d):
					f()
				}
			}
		}
		go every(interval/4, func() { // both write all the while
			_, _ = deaf.Write(deaf.frame("x"))
			_, _ = slow.Write(slow.frame("x"))
		})
		scratch := make([]byte, 32<<10)
		go every(5*time.Millisecond, func() { // some megabytes a second, of which the kernel takes a part at a time
			for range 4 {
				_, _ = slow.r.Read(scratch)
			}
		})
		buf := make([]byte, Headroom+32<<10)
		for deafSession.c.Pending() < 8<<20 && deafSession.c.Send(buf, Headroom) == nil {
		}
		start := time.Now()
		for closed := false; !closed; {
			for slowSession.c.Pending() < 8<<20 {
				require.NoError(t, slowSession.c.Send(buf, Headroom))
			}
			select {
			case <-deafSession.closed:
				closed = true
			case <-time.After(10 * time.Millisecond):
				require.Less(t, time.Since(start), 5*interval+2*time.Second)
			}
		}
		deafSession.wantClosed(t, codec.SlowConsumer)
		require.GreaterOrEqual(t, time.Since(start), interval)
		require.Equal(t, uint64(1), s.Stats().Closed[codec.SlowConsumer])
	})
}

// Nothing is said to a peer that has said nothing, not even a PING, until its time is up.
func TestSilenceBeforeTheFirstFrame(t *testing.T) {
	eachMode(t, Config{PingInterval: 50 * time.Millisecond, HandshakeTimeout: 500 * time.Millisecond}, func(t *testing.T, s *server) {
		t.Parallel()
		p := s.shake(t)
		_, body, err := p.read()
		require.NoError(t, err)
		r := codec.NewReader([]byte(body), codec.ServerLimits)
		ft, n, err := r.Frame()
		require.NoError(t, err)
		require.Equal(t, codec.FrameBye, ft, "%q", body)
		bye, err := r.Reasoned(ft, n)
		require.NoError(t, err)
		require.Equal(t, codec.HandshakeTimeout, bye.Code)
	})
}
