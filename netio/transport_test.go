package netio

import (
	"context"
	"strings"
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
	eachMode(t, Config{}, func(t *testing.T, s *server) {
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
