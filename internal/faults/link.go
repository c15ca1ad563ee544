package faults

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// link is one connection through a proxy: two sockets and two goroutines, each of which passes one direction on.
type link struct {
	// Static after construction.
	ends  [2]*net.TCPConn // where a direction comes from: [Up] is the client's socket
	plan  Plan
	began time.Time
	cuts  *[Hows]atomic.Int64
	over  chan struct{} // closed when nothing is to be passed on any more

	end   sync.Once // closes over
	once  sync.Once // for the cut
	deaf  [2]atomic.Bool
	timer *time.Timer // of the cut, and then of what lingers; guarded by mu
	mu    sync.Mutex
}

const (
	pieceSize = 16 << 10
	// drainFor is how long an end that has said its last word still takes what comes: a socket that is closed with unread bytes
	// says reset, and not end.
	drainFor = 50 * time.Millisecond
)

func newLink(client, server *net.TCPConn, plan Plan, cuts *[Hows]atomic.Int64) *link {
	return &link{ends: [2]*net.TCPConn{client, server}, plan: plan, began: time.Now(), cuts: cuts, over: make(chan struct{})}
}

// run passes on until both directions have ended.
func (l *link) run() {
	if l.plan.How != Whole {
		l.after(l.plan.After+l.plan.By, l.cut)
	}
	var both sync.WaitGroup
	both.Go(func() { l.pass(Up) })
	both.Go(func() { l.pass(Down) })
	both.Wait()
	l.finish(func(c *net.TCPConn) { _ = c.Close() })
}

// pass passes one direction on. What ends by itself on one side ends in the same way on the other.
func (l *link) pass(d Direction) {
	from, to := l.ends[d], l.ends[1-d]
	w := writer{l: l, to: to, rng: rand.New(rand.NewPCG(l.plan.seed, uint64(d))), single: l.plan.Slice}
	left := l.plan.Bytes
	buf := make([]byte, pieceSize)
	for {
		if d == Down {
			l.freeze()
		}
		n, err := from.Read(buf)
		piece := buf[:n]
		if l.deaf[d].Load() {
			piece = nil
		}
		if l.armed(d) && len(piece) >= left {
			piece = piece[:left]
			_ = w.write(piece)
			l.cut()
			piece = nil
		} else if l.armed(d) {
			left -= len(piece)
		}
		if len(piece) > 0 && w.write(piece) != nil {
			return // the other goroutine reads that socket, and finds out why
		}
		switch {
		case errors.Is(err, io.EOF):
			if !l.deaf[d].Load() {
				_ = to.CloseWrite()
			}
			return
		case err != nil:
			if !l.deaf[d].Load() {
				l.abort()
			}
			return
		}
	}
}

// armed reports whether the bytes of a direction count for the cut.
func (l *link) armed(d Direction) bool {
	return l.plan.How != Whole && l.plan.Dir == d && !l.deaf[d].Load() && time.Since(l.began) >= l.plan.After
}

// freeze waits while nothing is to be read.
func (l *link) freeze() {
	if since := time.Since(l.began); l.plan.FreezeFor > 0 && since >= l.plan.Freeze {
		l.sleep(l.plan.Freeze + l.plan.FreezeFor - since)
	}
}

// sleep waits, but not beyond the link's end.
func (l *link) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.over:
	}
}

// after runs f later, in place of what was to run before, unless the link ends first.
func (l *link) after(d time.Duration, f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
	select {
	case <-l.over:
	default:
		l.timer = time.AfterFunc(d, f)
	}
}

// cut does what the plan says, once. Nothing that comes later passes in a direction that is deaf.
func (l *link) cut() {
	l.once.Do(func() {
		l.cuts[l.plan.How].Add(1)
		client, server := l.ends[Up], l.ends[Down]
		switch l.plan.How {
		case End:
			l.sayEnd()
		case HalfClose:
			l.deaf[l.plan.Dir].Store(true)
			_ = l.ends[1-l.plan.Dir].CloseWrite()
			l.after(l.plan.Linger, l.sayEnd)
		case LoseUp:
			l.mute()
			reset(client)
			l.after(l.plan.Linger, func() { reset(server) })
		case LoseDown:
			l.mute()
			reset(server)
			l.after(l.plan.Linger, func() { reset(client) })
		default:
			l.abort()
		}
	})
}

func (l *link) mute() {
	l.deaf[Up].Store(true)
	l.deaf[Down].Store(true)
}

// sayEnd ends both directions, and takes what comes for a little longer.
func (l *link) sayEnd() {
	l.mute()
	for _, c := range l.ends {
		_ = c.CloseWrite()
	}
	l.after(drainFor, func() {
		for _, c := range l.ends {
			_ = c.Close()
		}
	})
}

// abort ends both sides by a reset, at once.
func (l *link) abort() {
	l.mute()
	l.finish(reset)
}

func (l *link) finish(closing func(*net.TCPConn)) {
	l.end.Do(func() { close(l.over) })
	l.mu.Lock()
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	for _, c := range l.ends {
		closing(c)
	}
}

// writer writes one direction as slowly, and in pieces as small, as the plan wants it.
type writer struct {
	l      *link
	to     *net.TCPConn
	rng    *rand.Rand
	single int // bytes that are still to be written singly; negative: all
}

func (w *writer) write(b []byte) error {
	plan := &w.l.plan
	if plan.Delay > 0 {
		w.l.sleep(time.Duration(w.rng.Int64N(int64(plan.Delay))))
	}
	for len(b) > 0 {
		n := len(b)
		switch {
		case w.single != 0:
			n = 1
			w.single--
		case plan.Rate > 0:
			n = min(n, max(1, plan.Rate/50))
		}
		if _, err := w.to.Write(b[:n]); err != nil {
			return err
		}
		if plan.Rate > 0 && w.single == 0 {
			w.l.sleep(time.Duration(n) * time.Second / time.Duration(plan.Rate))
		}
		b = b[n:]
	}
	return nil
}
