package client

import (
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// BenchmarkIdle measures what an idle client in a room costs this process: heap and stack, the socket's Go side included, the
// kernel's not. The server's end of each is in this process as well, a bare net.Conn, and counted.
func BenchmarkIdle(b *testing.B) {
	for _, scheme := range []string{"ws", "tcp"} {
		b.Run(scheme, func(b *testing.B) { benchmarkIdle(b, scheme) })
	}
}

func benchmarkIdle(b *testing.B, scheme string) {
	const n = 2000
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(b, err)
	defer ln.Close()
	accepted := make(chan net.Conn, n)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			p := accept(b, conn, strings.HasPrefix(scheme, "ws"))
			p.hello(welcome())
			p.admit()
			accepted <- conn // no goroutine and no buffer stays
		}
	}()
	url := scheme + "://" + ln.Addr().String() + "/volley"

	for b.Loop() {
		before := memory()
		clients := make([]*Client, 0, n)
		conns := make([]net.Conn, 0, n)
		for range n {
			c, err := Dial(b.Context(), url, Config{})
			check(b, err)
			_, err = c.JoinOrCreate(b.Context(), "pong", nil, func(r *Room) {
				On(r, state, func(State, Meta) {})
				On(r, said, func(string, Meta) {})
			})
			check(b, err)
			clients, conns = append(clients, c), append(conns, <-accepted)
		}
		time.Sleep(100 * time.Millisecond)
		after := memory()
		b.ReportMetric(float64(after.heap-before.heap)/n, "heap-B/client")
		b.ReportMetric(float64(after.stack-before.stack)/n, "stack-B/client")
		for _, c := range clients {
			_ = c.Close()
		}
		for _, conn := range conns {
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
		for _, c := range clients {
			<-c.Done()
		}
	}
}

type usage struct{ heap, stack int64 }

func memory() usage {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{int64(m.HeapAlloc), int64(m.StackInuse)}
}
