package faults

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// through returns both ends of a connection through a proxy with that plan.
func through(t *testing.T, plan Plan) (client, server *net.TCPConn, p *Proxy) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	p, err = Listen(ln.Addr().String(), func(int) Plan { return plan })
	require.NoError(t, err)
	t.Cleanup(p.Close)
	c, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	s, err := ln.Accept()
	require.NoError(t, err)
	for _, conn := range []net.Conn{c, s} {
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		t.Cleanup(func() { _ = conn.Close() })
	}
	return c.(*net.TCPConn), s.(*net.TCPConn), p
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func TestNothingIsChangedOnTheWay(t *testing.T) {
	for name, plan := range map[string]Plan{
		"as it is":   {},
		"delayed":    {Delay: time.Millisecond},
		"throttled":  {Rate: 1 << 20},
		"sliced":     {Slice: -1},
		"half of it": {Slice: 10_000, Delay: time.Millisecond, Rate: 4 << 20},
		"frozen":     {FreezeFor: 50 * time.Millisecond},
		"late cut":   {How: Reset, After: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			client, server, p := through(t, plan)
			for _, way := range [][2]*net.TCPConn{{client, server}, {server, client}} {
				want := noise(20_000)
				go func() {
					_, _ = way[0].Write(want)
					_ = way[0].CloseWrite()
				}()
				got, err := io.ReadAll(way[1])
				require.NoError(t, err)
				require.True(t, bytes.Equal(want, got))
			}
			require.Zero(t, p.Cuts())
		})
	}
}

// TestCutsAtTheByte: of a stream that is cut by its end, exactly the planned bytes arrive; a reset may destroy the last of them.
func TestCutsAtTheByte(t *testing.T) {
	for _, how := range []How{End, HalfClose, Reset, LoseUp, LoseDown} {
		for _, dir := range []Direction{Up, Down} {
			for _, at := range []int{0, 1, 777, 16 << 10, 40_000} {
				client, server, p := through(t, Plan{How: how, Dir: dir, Bytes: at, By: time.Minute, Linger: 20 * time.Millisecond})
				from, to := client, server
				if dir == Down {
					from, to = server, client
				}
				go func() { _, _ = from.Write(noise(100_000)) }()
				got, err := io.ReadAll(to)
				switch exact := how == End || how == HalfClose; {
				case exact && (err != nil || len(got) != at):
					t.Errorf("%v of direction %d at %d: %d bytes and %v came", how, dir, at, len(got), err)
				case !exact && (!errors.Is(err, syscall.ECONNRESET) || len(got) > at):
					t.Errorf("%v of direction %d at %d: %d bytes and %v came", how, dir, at, len(got), err)
				}
				require.True(t, bytes.Equal(noise(100_000)[:len(got)], got))
				require.Equal(t, 1, p.Cuts()[how])
			}
		}
	}
}

func TestAHalfClosedConnectionSpeaksOn(t *testing.T) {
	client, server, _ := through(t, Plan{How: HalfClose, Dir: Up, Bytes: 5, By: time.Minute, Linger: 100 * time.Millisecond})
	_, err := client.Write([]byte("hello, world"))
	require.NoError(t, err)
	got, err := io.ReadAll(server)
	require.NoError(t, err)
	require.Equal(t, "hello", string(got))
	_, err = server.Write([]byte("what?"))
	require.NoError(t, err)
	got, err = io.ReadAll(client)
	require.NoError(t, err)
	require.Equal(t, "what?", string(got))
}

func TestALostSideIsNotMissedForAWhile(t *testing.T) {
	const linger = 150 * time.Millisecond
	client, server, _ := through(t, Plan{How: LoseUp, By: time.Minute, Linger: linger})
	began := time.Now()
	_, err := client.Write([]byte("hello"))
	require.NoError(t, err)
	_, err = client.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
	_, err = server.Write([]byte("hello?"))
	require.NoError(t, err)
	_, err = server.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
	require.GreaterOrEqual(t, time.Since(began), linger)
}

func TestAnIdleConnectionIsCutAsWell(t *testing.T) {
	client, server, p := through(t, Plan{How: End, After: 10 * time.Millisecond, Bytes: 1000, By: 10 * time.Millisecond})
	for _, c := range []net.Conn{client, server} {
		_, err := c.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
	}
	require.Equal(t, 1, p.Cuts()[End])
}

func TestSlow(t *testing.T) {
	for name, plan := range map[string]Plan{
		"rate":   {Rate: 100_000},
		"freeze": {FreezeFor: 100 * time.Millisecond},
	} {
		client, server, _ := through(t, plan)
		began := time.Now()
		_, err := server.Write(noise(10_000))
		require.NoError(t, err)
		_, err = io.ReadFull(client, make([]byte, 10_000))
		require.NoError(t, err)
		require.Greater(t, time.Since(began), 80*time.Millisecond, name)
	}
}

// TestRealEndsPass: what the ends themselves do is seen at the other end as it was done.
func TestRealEndsPass(t *testing.T) {
	client, server, _ := through(t, Plan{})
	reset(client)
	_, err := server.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)

	client, server, _ = through(t, Plan{})
	_ = server.Close()
	_, err = client.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err)
}

func TestPlansAreRepeatable(t *testing.T) {
	mix := Mix{Life: time.Second, Delay: time.Millisecond, Rate: 1000, Slice: 100, Freeze: time.Second}
	var life time.Duration
	ways, kinds := map[How]int{}, [4]int{}
	bytesSeen := map[int]bool{}
	const n = 4000
	for i := range n {
		p := mix.Plan(7, i)
		require.Equal(t, p, mix.Plan(7, i))
		require.NotEqual(t, p, mix.Plan(8, i))
		require.NotEqual(t, p, mix.Plan(7, i+1))
		life += p.After
		ways[p.How]++
		bytesSeen[p.Bytes] = true
		for k, has := range []bool{p.Delay > 0, p.Rate > 0, p.Slice > 0, p.FreezeFor > 0} {
			if has {
				kinds[k]++
			}
		}
	}
	require.InDelta(t, 1, (life / n).Seconds(), 0.1)
	require.Len(t, ways, int(Hows)-1)
	for how, k := range ways {
		require.InDelta(t, n/(int(Hows)-1), k, n/20, how)
	}
	for k, has := range kinds {
		require.InDelta(t, n/4, has, n/20, k)
	}
	require.Greater(t, len(bytesSeen), 1500, "cuts come at any byte")
	require.Equal(t, Plan{seed: Mix{}.Plan(7, 0).seed}, Mix{}.Plan(7, 0), "no faults")
}
