package netio

import (
	"context"
	stdtls "crypto/tls"
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// failing is a listener whose Accept fails as often as told, and then waits.
type failing struct {
	err   error
	times []time.Time
	left  int

	once sync.Once
	done chan struct{}
}

func (f *failing) Accept() (net.Conn, error) {
	if f.left--; f.left < 0 {
		<-f.done
		return nil, net.ErrClosed
	}
	f.times = append(f.times, time.Now())
	return nil, f.err
}

func (f *failing) Close() error   { f.once.Do(func() { close(f.done) }); return nil }
func (f *failing) Addr() net.Addr { return &net.TCPAddr{} }

// At EMFILE an accept loop waits ever longer, up to a second, and ends at once when told to.
func TestAcceptBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &Engine{cfg: Config{}.withDefaults(), log: quiet(), started: time.Now(), stopping: make(chan struct{}), listeners: map[net.Listener]struct{}{}}
		ln := &failing{err: syscall.EMFILE, left: 1000, done: make(chan struct{})}
		done := make(chan error, 1)
		go func() { done <- e.accept(ln, TCP, nil, nil) }()
		time.Sleep(10*time.Second + 500*time.Millisecond)
		synctest.Wait()
		close(e.stopping)
		require.NoError(t, <-done)
		var waits []time.Duration
		for i := range ln.times[1:] {
			waits = append(waits, ln.times[i+1].Sub(ln.times[i]))
		}
		want := []time.Duration{5, 10, 20, 40, 80, 160, 320, 640}
		for i, w := range want {
			require.Equal(t, w*time.Millisecond, waits[i])
		}
		for _, w := range waits[len(want):] {
			require.Equal(t, time.Second, w)
		}
		require.Equal(t, uint64(len(ln.times)), e.Stats().AcceptErrors)
		require.Less(t, len(ln.times), 20)
	})
}

func TestAcceptEndsWithItsListener(t *testing.T) {
	s := serve(t, modes[2], Config{}, newHub())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln, nil, "/volley", nil) }()
	time.Sleep(10 * time.Millisecond)
	_ = ln.Close()
	require.ErrorIs(t, <-done, net.ErrClosed)
}

func TestTLSConfigs(t *testing.T) {
	_, err := convertTLS(&stdtls.Config{}, nil)
	require.ErrorIs(t, err, errNoCertificate)
	_, err = convertTLS(&stdtls.Config{Certificates: []stdtls.Certificate{certificate(t)}, VerifyConnection: func(stdtls.ConnectionState) error { return nil }}, nil)
	require.ErrorIs(t, err, errTLSConfig)
	cfg, err := convertTLS(&stdtls.Config{
		Certificates:     []stdtls.Certificate{certificate(t)},
		NextProtos:       []string{"h2", "http/1.1"},
		CurvePreferences: []stdtls.CurveID{stdtls.X25519MLKEM768, stdtls.X25519},
	}, []string{"http/1.1"})
	require.NoError(t, err)
	require.Equal(t, []string{"http/1.1"}, cfg.NextProtos)
	require.Len(t, cfg.CurvePreferences, 1)
	require.EqualValues(t, stdtls.VersionTLS12, cfg.MinVersion)
}

func TestConfig(t *testing.T) {
	c := Config{}.withDefaults()
	require.NoError(t, c.check())
	require.Equal(t, 1000, c.MessageBurst)
	require.Equal(t, 512<<10, c.BytesBurst)
	require.NoError(t, Config{MaxMessage: 1 << 20}.withDefaults().check())
	for name, bad := range map[string]Config{
		"negative":       {MaxMessage: -1},
		"huge":           {MaxMessage: 1<<30 + 1},
		"small burst":    {BytesBurst: 1},
		"negative limit": {MaxHandshakes: -1},
		"timeout":        {HandshakeTimeout: -1},
	} {
		_, err := New(bad, newHub())
		require.Error(t, err, name)
	}
}

func TestRate(t *testing.T) {
	r := newRate(10, 5)
	var paid int64
	for range 5 {
		require.True(t, r.take(&paid, 0, 1))
	}
	require.False(t, r.take(&paid, 0, 1))
	require.False(t, r.take(&paid, int64(99*time.Millisecond), 1))
	require.True(t, r.take(&paid, int64(100*time.Millisecond), 1))
	require.False(t, r.take(&paid, int64(time.Hour), 6), "time does not save up more than the burst")
	require.True(t, r.take(&paid, int64(time.Hour), 5))
	unlimited := newRate(-1, 0)
	require.True(t, unlimited.take(&paid, 0, 1<<62))
}

// Shutdown ends in time when peers ignore it and when Open takes long.
func TestShutdownCuts(t *testing.T) {
	eachMode(t, Config{}, func(t *testing.T, s *server) {
		_, session := s.connect(t)
		idle := s.dial(t)
		waiting := s.shake(t)
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		err := s.Shutdown(ctx)
		require.True(t, err == nil || errors.Is(err, context.DeadlineExceeded), "%v", err)
		require.Less(t, time.Since(start), 3*time.Second)
		select {
		case <-session.closed:
		default:
			require.Fail(t, "Shutdown returned before Closed")
		}
		require.Zero(t, s.Stats().Open)
		_, _ = idle, waiting
	})
}
