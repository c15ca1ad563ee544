package netio

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// eachMode runs a test for every way into an Engine.
func eachMode(t *testing.T, cfg Config, f func(t *testing.T, s *server)) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) { f(t, serve(t, m, cfg, newHub())) })
	}
}

func TestEcho(t *testing.T) {
	eachMode(t, Config{MaxBacklog: 1 << 20}, func(t *testing.T, s *server) {
		p, session := s.connect(t)
		require.Equal(t, "hello", session.first)
		for _, body := range []string{"a", strings.Repeat("b", 125), strings.Repeat("c", 126), strings.Repeat("d", 1<<16-1), strings.Repeat("e", 1<<16)} {
			p.send(body)
			p.want(body)
		}
		require.Equal(t, s.tcp, session.c.Transport() == TCP)
		require.Equal(t, p.LocalAddr().String(), session.c.RemoteAddr().String())
		require.Equal(t, 1, s.Stats().Open)
		_ = p.Close()
		session.wantClosed(t, 0)
		eventually(t, "the connection is gone", func() bool { return s.Stats().Open == 0 })
		require.Zero(t, session.after)
		require.Equal(t, 1, session.closes)
	})
}

func TestShutdownSaysGoingAway(t *testing.T) {
	eachMode(t, Config{}, func(t *testing.T, s *server) {
		p, session := s.connect(t)
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(context.Background()) }()
		p.wantEnd(codec.GoingAway)
		_ = p.Close()
		select {
		case err := <-done:
			require.NoError(t, err)
		case <-time.After(5 * time.Second):
			require.Fail(t, "Shutdown hangs")
		}
		session.wantClosed(t, codec.GoingAway)
	})
}

// OnPoll runs after what was read has been handled, and a panic in it hurts nobody.
func TestOnPoll(t *testing.T) {
	var polls atomic.Int64
	s := serve(t, modes[0], Config{Pollers: 1, OnPoll: func() {
		if polls.Add(1) == 2 {
			panic("in OnPoll")
		}
	}}, newHub())
	require.Zero(t, polls.Load())
	p, _ := s.connect(t)
	for range 5 {
		before := polls.Load()
		p.send("x")
		p.want("x")
		eventually(t, "a poll", func() bool { return polls.Load() > before })
	}
}

// Thousands of connections come and go while others talk; everything is counted out again.
func TestChurn(t *testing.T) {
	eachMode(t, Config{}, func(t *testing.T, s *server) {
		var all sync.WaitGroup
		const workers, rounds = 8, 20
		for w := range workers {
			all.Go(func() {
				for i := range rounds {
					p := s.shake(t)
					p.write(concat(p.frame("hello"), p.frame("a")))
					p.want("a")
					if (w+i)%3 == 0 {
						p.send("last")
					}
					_ = p.Close()
				}
			})
		}
		all.Wait()
		eventually(t, "all are gone", func() bool { return s.Stats().Open == 0 })
		require.Equal(t, uint64(workers*rounds), s.Stats().Opened)
		for range workers * rounds {
			session := <-s.hub.sessions
			<-session.closed
			require.Zero(t, session.after)
			require.Equal(t, 1, session.closes)
		}
	})
}
