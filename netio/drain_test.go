package netio

import (
	"context"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

func TestDrainSpread(t *testing.T) {
	for _, tt := range []struct {
		set   time.Duration
		conns int
		want  time.Duration
	}{
		{0, 0, time.Second}, {0, 2000, time.Second}, {0, 3000, 1500 * time.Millisecond}, {0, 10_000, 5 * time.Second},
		{0, 1_000_000, time.Minute}, {20 * time.Second, 5, 20 * time.Second}, {-1, 10_000, 0},
	} {
		require.Equal(t, tt.want, Config{DrainSpread: tt.set}.drainSpread(tt.conns), "%+v", tt)
	}
}

// The delays fill the span evenly, and none of them leaves the choice to the peer.
func TestFairDelays(t *testing.T) {
	const conns, span, slots = 10_000, 5 * time.Second, 50
	var count [slots]int
	for n := range uint64(conns) {
		d := fairDelay(n, int64(span))
		require.GreaterOrEqual(t, d, time.Millisecond)
		require.Less(t, d, span)
		count[d*slots/span]++
	}
	for _, n := range count {
		require.InDelta(t, conns/slots, n, conns/slots/10)
	}
	require.Zero(t, fairDelay(7, 0))
}

// bye reads messages until BYE, and then to the end; it returns BYE and the bytes of the messages.
func (p *peer) bye(t *testing.T) (bye codec.Reasoned, bytes int) {
	t.Helper()
	for {
		op, body, err := p.read()
		require.NoError(t, err)
		if op != opBinary {
			continue
		}
		r := codec.NewReader([]byte(body), codec.ServerLimits)
		if ft, n, err := r.Frame(); err == nil && ft == codec.FrameBye {
			bye, err = r.Reasoned(ft, n)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, p.r)
			require.NoError(t, err)
			_ = p.Close()
			return bye, bytes
		}
		bytes += len(body)
	}
}

// Everybody is told to come back, each after another delay, and where to.
func TestShutdownSpreadsTheReturn(t *testing.T) {
	const conns, span = 20, 10 * time.Second
	eachMode(t, Config{DrainSpread: span, DrainTo: "wss://next.example/volley"}, func(t *testing.T, s *server) {
		var peers []*peer
		for range conns {
			p, _ := s.connect(t)
			peers = append(peers, p)
		}
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(t.Context()) }()
		var delays []int
		for _, p := range peers {
			bye, _ := p.bye(t)
			require.Equal(t, codec.GoingAway, bye.Code)
			require.Equal(t, "wss://next.example/volley", bye.Address)
			delays = append(delays, bye.Delay)
		}
		require.NoError(t, <-done)
		slices.Sort(delays)
		for i, d := range delays {
			want := float64(span.Milliseconds()) * (float64(i) + 0.5) / conns
			require.InDelta(t, want, d, float64(span.Milliseconds())/conns*2)
		}
	})
}

// Who is slow gets what was sent to it, and BYE behind it, as long as the deadline allows; who never reads is cut off then.
func TestShutdownWaitsForSlowPeers(t *testing.T) {
	eachMode(t, Config{MaxBacklog: 64 << 20}, func(t *testing.T, s *server) {
		t.Parallel()
		slow, slowSession := s.connect(t)
		_, deafSession := s.connect(t)
		buf := make([]byte, Headroom+32<<10)
		sent := 0
		for slowSession.c.Pending() < 8<<20 {
			require.NoError(t, slowSession.c.Send(buf, Headroom))
			require.NoError(t, deafSession.c.Send(buf, Headroom))
			sent += len(buf) - Headroom
		}
		for deafSession.c.Pending() < 8<<20 {
			require.NoError(t, deafSession.c.Send(buf, Headroom))
		}
		const deadline = closeGrace + 2*time.Second
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		defer cancel()
		start := time.Now()
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(ctx) }()
		time.Sleep(closeGrace + 500*time.Millisecond) // longer than any other close would wait
		require.NoError(t, slow.SetDeadline(time.Now().Add(5*time.Second)))
		bye, got := slow.bye(t)
		require.Equal(t, codec.GoingAway, bye.Code)
		require.Equal(t, sent, got)
		require.Less(t, time.Since(start), deadline)
		require.ErrorIs(t, <-done, ErrCut)
		require.GreaterOrEqual(t, time.Since(start), deadline-50*time.Millisecond) // which began before start
		require.Less(t, time.Since(start), deadline+2*time.Second)
		slowSession.wantClosed(t, codec.GoingAway)
		deafSession.wantClosed(t, codec.GoingAway)
		require.Zero(t, s.Stats().Buffered)
	})
}

// A drain takes nobody new, lets the others go on, and says goodbye to whom it is told to.
func TestGoAway(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			s := serve(t, m, Config{}, newHub())
			stays, staysSession := s.connect(t)
			goes, goesSession := s.connect(t)
			waiting := s.shake(t) // in the handshake
			eventually(t, "it is there", func() bool { return s.Stats().Open == 3 })
			s.BeginDrain(time.Now().Add(5 * time.Second))
			s.BeginDrain(time.Now().Add(5 * time.Second)) // twice is no more than once
			waiting.wantEnd(codec.GoingAway)
			_ = waiting.Close()
			s.GoAway(func(ns Session) bool { return ns == Session(goesSession) })
			bye, _ := goes.bye(t)
			require.Equal(t, codec.GoingAway, bye.Code)
			goesSession.wantClosed(t, codec.GoingAway)
			for range 3 {
				stays.send("still here")
				stays.want("still here")
			}
			if m.mount {
				p := s.dial(t)
				p.write([]byte(upgradeRequest + "\r\n"))
				res, err := http.ReadResponse(p.r, nil)
				require.NoError(t, err)
				require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
				require.NotEmpty(t, res.Header.Get("Retry-After"))
			}
			done := make(chan error, 1)
			go func() { done <- s.Shutdown(t.Context()) }()
			bye, _ = stays.bye(t)
			require.Equal(t, codec.GoingAway, bye.Code)
			staysSession.wantClosed(t, codec.GoingAway)
			require.NoError(t, <-done)
			require.ErrorIs(t, s.Shutdown(t.Context()), ErrClosed)
		})
	}
}
