package netio

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rounds are an engine's calls of OnRound, each held up until the test lets it go on.
type rounds struct {
	began chan bool // again
	rest  chan time.Duration
	over  chan struct{} // closed: no more holding up
}

func (r *rounds) onRound(_ int, again bool) time.Duration {
	select {
	case r.began <- again:
		return <-r.rest
	case <-r.over:
		return 0
	}
}

// next waits for the end of a round.
func (r *rounds) next(t *testing.T) (again bool) {
	t.Helper()
	select {
	case again = <-r.began:
		return again
	case <-time.After(5 * time.Second):
		require.Fail(t, "no round has ended")
		return false
	}
}

// A round ends when all that had become readable before it has been handled; input that can wait goes on with rounds, and silence
// or anything else ends them.
func TestRounds(t *testing.T) {
	for _, m := range modes {
		if m.mount && m.secure {
			continue // such connections keep their goroutines
		}
		t.Run(m.name, func(t *testing.T) { playRounds(t, m) })
	}
}

func playRounds(t *testing.T, m mode) {
	r := &rounds{make(chan bool), make(chan time.Duration), make(chan struct{})}
	var handled, polls atomic.Int64
	h := newHub()
	h.message = func(s *recorder, frame []byte) error {
		if string(frame) == "input" {
			s.c.CanWait()
		}
		handled.Add(1)
		return nil
	}
	s := serve(t, m, Config{Pollers: 1, OnRound: r.onRound, OnPoll: func() { polls.Add(1) }}, h)
	t.Cleanup(func() { close(r.over) })
	var peers []*peer
	for range 20 {
		p, _ := s.connect(t)
		peers = append(peers, p)
	}
	want := handled.Load() + 1
	peers[0].send("input")
	for range 10 {
		require.True(t, r.next(t), "more may come")
		require.Equal(t, want, handled.Load(), "what came before the bell is handled before the round ends")
		for _, p := range peers {
			p.send("input")
		}
		want += int64(len(peers))
		r.rest <- time.Millisecond
	}
	require.True(t, r.next(t))
	require.Equal(t, want, handled.Load())
	before := polls.Load()
	r.rest <- 0
	require.False(t, r.next(t), "nothing has come")
	r.rest <- 0
	require.Equal(t, before, polls.Load(), "no polls between")

	peers[0].send("a question")
	eventually(t, "a poll", func() bool { return polls.Load() > before })
	peers[1].send("input")
	eventually(t, "a poll, since questions come", func() bool { return polls.Load() > before+1 })
	select {
	case <-r.began:
		require.Fail(t, "a round, although something that cannot wait has just come")
	default:
	}
}

// Shutdown does not wait for more than a rest.
func TestShutdownDuringRounds(t *testing.T) {
	for range 10 {
		h := newHub()
		h.message = func(s *recorder, _ []byte) error { s.c.CanWait(); return nil }
		e, err := New(Config{Pollers: 2, Logger: quiet(), OnRound: func(int, bool) time.Duration { return 5 * time.Millisecond }}, h)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		require.NoError(t, e.Shutdown(ctx))
		cancel()
	}
}

func TestAlarm(t *testing.T) {
	a, err := NewAlarm()
	require.NoError(t, err)
	defer a.Close()
	begin := time.Now()
	a.Sleep(20 * time.Millisecond)
	require.GreaterOrEqual(t, time.Since(begin), 20*time.Millisecond)

	a.Ring()
	a.Sleep(time.Hour) // a Ring before it counts

	go func() { time.Sleep(5 * time.Millisecond); a.Ring() }()
	a.Sleep(time.Duration(1<<63 - 1)) // for ever
	a.Sleep(-1)
	begin = time.Now()
	a.Sleep(10 * time.Millisecond) // the rings are forgotten
	require.GreaterOrEqual(t, time.Since(begin), 10*time.Millisecond)
}

// A poller that always has something to do still passes through Go's scheduler, or the runtime takes its P away.
func TestPollersYield(t *testing.T) {
	h := newHub()
	var before, now atomic.Int64
	h.message = func(s *recorder, _ []byte) error { // on the poller, which owns the field
		now.Store(s.c.e.pollers[0].yielded)
		return nil
	}
	s := serve(t, modes[0], Config{Pollers: 1, MessagesPerSecond: -1}, h)
	p, _ := s.connect(t)
	for range 3 {
		eventually(t, "a yield", func() bool {
			p.send("x")
			return now.Load() > before.Load()
		})
		before.Store(now.Load())
	}
}
