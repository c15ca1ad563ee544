package netio

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lesismal/nbio"
	"github.com/stretchr/testify/require"
)

// The facts about nbio that this package builds on. If one of these fails after an upgrade of nbio, look for what used it.

// nbioPair is a socket on a bare nbio engine and its other end.
func nbioPair(t *testing.T, prepare func(g *nbio.Engine), before func(far net.Conn)) (nb *nbio.Conn, far *net.TCPConn) {
	t.Helper()
	g := nbio.NewEngine(nbio.Config{NPoller: 1, MaxWriteBufferSize: 64 << 20, BodyAllocator: new(bufPool)})
	prepare(g)
	require.NoError(t, g.Start())
	time.Sleep(20 * time.Millisecond) // see probePollers
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	nc, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	near, err := ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = nc.Close(); g.Stop() })
	if before != nil {
		before(nc)
	}
	nb, err = g.AddConn(near)
	require.NoError(t, err)
	return nb, nc.(*net.TCPConn)
}

func TestNbioWrite(t *testing.T) {
	var written, events atomic.Int64
	nb, far := nbioPair(t, func(g *nbio.Engine) {
		g.OnWrittenSize(func(_ *nbio.Conn, _ []byte, n int) { written.Add(int64(n)); events.Add(1) })
	}, nil)
	var want []byte
	buf := make([]byte, 100_000)
	for i := range byte(200) {
		for j := range buf {
			buf[j] = i + byte(j)
		}
		want = append(want, buf...)
		n, err := nb.Write(buf)
		require.NoError(t, err)
		require.Equal(t, len(buf), n, "Write takes all of it")
		clear(buf) // the buffer is ours again at once
	}
	require.Less(t, written.Load(), int64(len(want)), "the kernel did not take it all: this tests the queue")
	require.Positive(t, events.Load())
	got := make([]byte, len(want))
	_, err := io.ReadFull(far, got)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "what the kernel did not take was copied and follows in order")
	eventually(t, "every byte has been accounted for", func() bool { return written.Load() == int64(len(want)) })
}

func TestNbioWriteOverflow(t *testing.T) {
	closed := make(chan error, 1)
	nb, _ := nbioPair(t, func(g *nbio.Engine) {
		g.MaxWriteBufferSize = 1 << 20
		g.OnClose(func(_ *nbio.Conn, err error) { closed <- err })
	}, nil)
	buf := make([]byte, 64<<10)
	var err error
	for range 1000 {
		if _, err = nb.Write(buf); err != nil {
			break
		}
	}
	require.Error(t, err, "beyond MaxWriteBufferSize Write fails, and closes")
	require.Error(t, <-closed)
}

// Bytes that arrived before the descriptor was duplicated are read by the poller.
func TestNbioTransferKeepsUnread(t *testing.T) {
	got := make(chan string, 10)
	nb, far := nbioPair(t, func(g *nbio.Engine) {
		g.OnData(func(_ *nbio.Conn, b []byte) { got <- string(b) })
	}, func(far net.Conn) {
		_, _ = far.Write([]byte("early"))
		time.Sleep(20 * time.Millisecond)
	})
	require.Equal(t, "early", <-got)
	_, err := far.Write([]byte("late"))
	require.NoError(t, err)
	require.Equal(t, "late", <-got)
	shutdownWrite(nb)
	_, err = far.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	_, err = far.Write([]byte("after FIN"))
	require.NoError(t, err)
	require.Equal(t, "after FIN", <-got, "a half-closed socket is still read")
}

// OnClose comes once and from no caller's stack, so that it may be caused under any lock.
func TestNbioCloseIsAsynchronous(t *testing.T) {
	var lock atomic.Bool
	closes := make(chan bool, 10)
	nb, _ := nbioPair(t, func(g *nbio.Engine) {
		g.OnClose(func(*nbio.Conn, error) {
			for lock.Load() {
				time.Sleep(time.Millisecond)
			}
			closes <- true
		})
	}, nil)
	lock.Store(true)
	_ = nb.Close()
	_ = nb.Close()
	lock.Store(false)
	<-closes
	time.Sleep(20 * time.Millisecond)
	require.Empty(t, closes)
	_, err := nb.Write([]byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
}

// An engine that is shut down at once ends; its pollers have begun.
func TestShutdownAtOnce(t *testing.T) {
	for range 20 {
		e, err := New(Config{Pollers: 3, Logger: quiet()}, newHub())
		require.NoError(t, err)
		require.NoError(t, e.Shutdown(t.Context()))
		require.ErrorIs(t, e.Shutdown(t.Context()), ErrClosed)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.ErrorIs(t, e.ServeTCP(ln, nil), ErrClosed)
	}
}
