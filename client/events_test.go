package client

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// TestBatch: what is emitted in a batch leaves as one frame, or as many as the server's limits ask for.
func TestBatch(t *testing.T) {
	w := welcome()
	w.Limits = codec.Limits{Frame: 512, Packets: 3, Elements: 300, Depth: 8}
	url := serve(t, "ws", func(p *peer) {
		p.hello(w)
		p.admit()
		seq := uint64(1)
		for _, want := range []int{2, 3, 3, 1, 2, 1, 1} {
			v := p.wantVolley()
			equal(t, "packets", len(v.packets), want)
			equal(t, "seq", v.Seq, seq)
			seq += uint64(len(v.packets))
		}
		p.end()
	})
	c := dialT(t, url, Config{})
	r, err := c.Join(testContext(t), "pong", nil)
	check(t, err)
	times := func(n int, text string) func() {
		return func() {
			for range n {
				check(t, Emit(r, said, text))
			}
		}
	}
	check(t, r.Batch(times(2, "")))
	check(t, r.Batch(times(7, "")))
	check(t, r.Batch(times(3, string(repeat('x', 130))))) // 300 bytes a frame
	check(t, r.Batch(func() {}))
	check(t, r.Batch(func() {
		check(t, r.Batch(func() {}))
		check(t, Ask(r, double, 1, func(int, error) {}))
		equal(t, "seq", r.Seq(), 13)
	}))
}

// TestEmitRefused: what the server would close the connection for is not sent.
func TestEmitRefused(t *testing.T) {
	url := serve(t, "tcp", func(p *peer) {
		p.hello(welcome())
		p.admit()
		equal(t, "seq", p.wantVolley().Seq, 1) // which the limits allow
		p.send(volleyTo(0, 101, 1))
		equal(t, "seq", p.wantVolley().Seq, 2)
		p.end()
	})
	c := dialT(t, url, Config{Unacknowledged: 64 << 10})
	r, err := c.Join(testContext(t), "pong", nil)
	check(t, err)
	var deep any = 1
	for range 20 {
		deep = []any{deep}
	}
	equal(t, "too big", code(Emit(r, said, string(repeat('x', 64<<10)))), codec.TooBig)
	equal(t, "too deep", code(Emit(r, room.Event[any]("any"), deep)), codec.TooComplex)
	equal(t, "too many", code(Emit(r, room.Event[[]int]("ints"), make([]int, 5000))), codec.TooComplex)
	equal(t, "utf-8", code(Emit(r, said, "\xff")), codec.Malformed)
	for _, name := range []string{"", string(repeat('x', 65))} {
		if Emit(r, room.Event[int](name), 1) == nil {
			t.Errorf("the name %q is taken", name)
		}
	}
	equal(t, "one too many", code(Emit(r, room.Event[[]int]("ints"), make([]int, 4087))), codec.TooComplex)
	equal(t, "seq", r.Seq(), 0)
	check(t, Emit(r, room.Event[[]int]("ints"), make([]int, 4086)))
	for r.Ack() == 0 {
		time.Sleep(time.Millisecond)
	}
	check(t, r.Batch(func() {
		check(t, Emit(r, said, string(repeat('x', 60<<10))))
		equal(t, "full", errors.Is(Emit(r, said, string(repeat('x', 5<<10))), ErrFull), true)
	}))
	for _, options := range []any{string(repeat('x', 64<<10)), deep, func() {}} {
		if _, err := c.Join(testContext(t), "pong", options); err == nil {
			t.Errorf("options %T are taken", options)
		}
	}
	if _, err := c.Join(testContext(t), "", nil); err == nil {
		t.Error("a join of nothing is taken")
	}
	check(t, c.Err())
}

// TestConcurrentUse: many goroutines use a client; what arrives is numbered without a gap, and nothing is lost.
func TestConcurrentUse(t *testing.T) {
	const workers, each = 8, 200
	sums := make(chan int, 1)
	url := serve(t, "ws", func(p *peer) {
		p.hello(welcome())
		p.admit()
		next, sum, tick := uint64(1), 0, uint64(100)
		for next <= workers*each {
			b, err := p.read()
			if err != nil {
				t.Error(err)
				break
			}
			r := codec.NewReader(b, codec.ClientLimits)
			kind, n, _ := r.Frame()
			switch kind {
			case codec.FramePing:
				stamp, _ := r.Stamp(n)
				p.send(codec.AppendPong(nil, stamp))
			case codec.FrameVolley:
				v, _ := r.ClientVolley(n)
				packets, _ := r.Packets(n, nil)
				equal(t, "seq", v.Seq, next)
				next += uint64(len(packets))
				tick++
				answer := [][]byte{eventPacket(iState, Scene{})}
				for _, packet := range packets {
					if packet.Kind == codec.Request {
						answer = append(answer, replyPacket(1, uint64(packet.ID)))
						continue
					}
					var i int
					check(t, codec.Unmarshal(packet.Payload, &i))
					sum += i
				}
				p.send(volleyTo(0, tick, next-1, answer...))
			}
		}
		sums <- sum
		p.end()
	})
	c := dialT(t, url, Config{})
	ctx := testContext(t)
	r, err := c.Join(ctx, "pong", nil, func(r *Room) { On(r, state, func(Scene, Meta) {}) })
	check(t, err)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := range each {
				switch {
				case worker == 0:
					_, err := Request(ctx, r, double, 1)
					check(t, err)
				case i%10 == 9:
					check(t, r.Batch(func() { check(t, Emit(r, rare, 1)) }))
					_, err := c.Ping(ctx)
					check(t, err)
				default:
					check(t, Emit(r, rare, 1))
				}
				_, _, _ = r.Seq(), r.Ack(), r.Tick()
				On(r, said, func(string, Meta) {})
			}
		})
	}
	wg.Wait()
	equal(t, "sum", <-sums, (workers-1)*each)
	for r.Ack() < r.Seq() {
		select {
		case <-ctx.Done():
			t.Fatalf("acknowledged %d of %d", r.Ack(), r.Seq())
		default:
		}
	}
}

// TestEvents: handlers in their order, OnAny, OnVolley, names that come later, and several rooms.
func TestEvents(t *testing.T) {
	url := serve(t, "tcp", func(p *peer) {
		p.hello(welcome())
		p.admit()
		second := p.admit()
		equal(t, "channel", second.Channel, 1)
		p.send(
			volleyTo(1, 101, 0, eventPacket(iSaid, "to the second")),
			codec.AppendNames(nil, len(table), []string{"rare"}),
			volleyTo(0, 101, 0, eventPacket(iSaid, "a"), eventPacket(len(table), 5)),
			volleyTo(0, 101, 0, append(codec.AppendNamedEvent(nil, "said"), must("b")...)),
			codec.AppendLeft(nil, 0, codec.RoomClosed, "over"),
		)
		equal(t, "channel", p.admit(volleyTo(0, 200, 0, eventPacket(iSaid, "again"))).Channel, 0)
		v := p.wantVolley()
		equal(t, "index", v.packets[0].Index, int32(len(table)))
		p.end()
	})
	c := dialT(t, url, Config{})
	ctx := testContext(t)
	log := make(chan string, 32)
	first, err := c.Join(ctx, "pong", nil, func(r *Room) {
		On(r, said, func(s string, m Meta) { log <- "said " + s })
		r.OnAny(func(event string, payload []byte, m Meta) { log <- "any " + event })
		On(r, said, func(s string, m Meta) { log <- "twice " + s })
		r.OnVolley(func(m Meta) { log <- "volley" })
		r.OnLeft(func(code codec.Code, reason string) { log <- code.String() + " " + reason })
	})
	check(t, err)
	second, err := c.Join(ctx, "pong", nil, func(r *Room) {
		On(r, said, func(s string, m Meta) { log <- "said " + s })
	})
	check(t, err)
	<-first.Done()
	for _, want := range []string{
		"said to the second", "said a", "twice a", "any said", "any rare", "volley",
		"said b", "twice b", "any said", "volley", "room-closed over",
	} {
		equal(t, "log", <-log, want)
	}
	check(t, second.Err())
	third, err := c.Join(ctx, "pong", nil, func(r *Room) {
		On(r, said, func(s string, m Meta) { log <- "said " + s })
	})
	check(t, err)
	equal(t, "log", <-log, "said again")
	check(t, Emit(third, rare, 1))
}

// TestTooManyRooms: the server's bound is kept here.
func TestTooManyRooms(t *testing.T) {
	url := serve(t, "tcp", func(p *peer) {
		p.hello(welcome())
		for range welcome().Rooms {
			p.admit()
		}
		p.end()
	})
	c := dialT(t, url, Config{})
	for range welcome().Rooms {
		_, err := c.Join(testContext(t), "pong", nil)
		check(t, err)
	}
	_, err := c.Join(testContext(t), "pong", nil)
	equal(t, "refused", code(err), codec.TooManyRooms)
}
