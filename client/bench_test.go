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
				On(r, state, func(Scene, Meta) {})
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

// endless is a connection that gives the same bytes again and again, and takes everything.
type endless struct {
	net.Conn
	bytes []byte
	at    int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.bytes[e.at:])
	e.at = (e.at + n) % len(e.bytes)
	return n, nil
}

func (e *endless) Write(b []byte) (int, error) { return len(b), nil }

func (e *endless) SetReadDeadline(time.Time) error  { return nil }
func (e *endless) SetWriteDeadline(time.Time) error { return nil }

// inRoom is a client in a room, on a connection of the benchmark's. Nobody reads it but the benchmark.
func inRoom(conn net.Conn, limit int) (*Client, *Room) {
	cfg := Config{WriteTimeout: time.Hour, Unacknowledged: 1 << 20}.withDefaults()
	c := &Client{
		cfg: &cfg, conn: conn, framing: &wsFraming{limit: limit}, ws: true,
		ending: make(chan struct{}), done: make(chan struct{}),
	}
	w := welcome()
	c.welcome.Store(&w)
	t, _ := new(names).with(0, table)
	c.names.Store(t)
	r := newRoom(c)
	r.state, r.link = joined, live
	c.channels = []*Room{r}
	return c, r
}

// BenchmarkReceive is one frame of one event, from the bytes to the handler.
func BenchmarkReceive(b *testing.B) {
	c, r := inRoom(&endless{bytes: wsFrame(0x82, volleyTo(0, 1000, 0, eventPacket(iState, Scene{Ball: [2]float32{3, 4}})))}, 1<<20)
	On(r, state, func(Scene, Meta) {})
	b.ReportAllocs()
	for b.Loop() {
		p, e := c.next()
		if e == nil {
			e = c.frame(p)
		}
		if e != nil {
			b.Fatal(e)
		}
	}
}

// BenchmarkEmit is one event, from the value to the bytes of its frame.
func BenchmarkEmit(b *testing.B) {
	_, r := inRoom(&endless{}, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		if err := Emit(r, move, Move{DX: 0.5, DY: 1}); err != nil {
			b.Fatal(err)
		}
		r.outbox.trim(r.outbox.lastSent())
	}
}
