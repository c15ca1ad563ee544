package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/codec"
)

// player is one client of a run, and what it has counted.
type player struct {
	run     *run
	index   int
	due     each
	url     string // through a proxy of its own
	client  *client.Client
	room    *client.Room
	resumed atomic.Int64

	mu      sync.Mutex
	says    int    // sent
	calls   int    // sent
	replies stream // to those
	tells   stream
	asks    stream
	echoed  int // replies to asks that were sent
	told    map[int]*stream
	clock   int
}

// enter dials, as often as it takes, and joins: the room with that id or, if there is none yet, a new one.
func (p *player) enter(ctx context.Context, kind, id string) (err error) {
	cfg := client.Config{DialTimeout: 5 * time.Second,
		Reconnect: client.Reconnect{Min: 20 * time.Millisecond, Max: 200 * time.Millisecond}}
	for p.client == nil {
		p.client, err = client.Dial(ctx, p.url, cfg)
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	p.client.OnState(func(s client.State) {
		if s.Phase == client.Connected && s.Resumed {
			p.resumed.Add(1)
		}
	})
	if id == "" {
		p.room, err = p.client.Create(ctx, kind, Entry{p.index}, p.setUp)
	} else {
		p.room, err = p.client.JoinByID(ctx, id, Entry{p.index}, p.setUp)
	}
	return err
}

func (p *player) setUp(r *client.Room) {
	p.told = map[int]*stream{}
	client.On(r, tell, func(n int, _ client.Meta) { p.took(&p.tells, "tell", n) })
	client.On(r, told, func(v Told, _ client.Meta) {
		p.mu.Lock()
		if p.told[v.From] == nil {
			p.told[v.From] = &stream{}
		}
		s := p.told[v.From]
		p.mu.Unlock()
		p.took(s, "told", v.N)
	})
	client.On(r, clock, func(n int, _ client.Meta) {
		if n < p.clock { // of this goroutine alone
			p.run.note("client %d: the clock went from %d to %d", p.index, p.clock, n)
		}
		p.clock = n
	})
	client.Handle(r, ask, func(n int) (int, error) {
		p.took(&p.asks, "ask", n)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.echoed++
		return n, nil
	})
	r.OnResync(func(uint64) { p.run.note("client %d fell off the room's log", p.index) })
	r.OnRejoin(func(lost int) { p.run.note("client %d lost its seat, and %d packets", p.index, lost) })
	r.OnLeft(func(code codec.Code, reason string) {
		if code != codec.Left && code != codec.Normal {
			p.run.note("client %d is out: %d %s", p.index, code, reason)
		}
	})
}

func (p *player) took(s *stream, what string, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.run.came(s.take(n), what, n)
}

// play sends everything that is this client's part, in bursts at random times.
func (p *player) play(ctx context.Context, rng *rand.Rand) {
	for ctx.Err() == nil && p.says+p.calls < p.due.says+p.due.calls {
		burst := 1 + rng.IntN(7)
		_ = p.room.Batch(func() {
			for range burst {
				if !p.send(rng) {
					break
				}
			}
		})
		wait := rng.ExpFloat64() * float64(burst) / float64(p.run.cfg.pace)
		sleep(ctx, max(time.Millisecond, time.Duration(wait*float64(time.Second))))
	}
}

// send sends one packet; false: it cannot at the moment, or it is over.
func (p *player) send(rng *rand.Rand) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	says, calls := p.due.says-p.says, p.due.calls-p.calls
	if says+calls == 0 {
		return false
	}
	var err error
	if rng.IntN(says+calls) < says {
		v := Say{N: p.says + 1}
		if shout := v.N * p.due.shout / p.due.says; shout > p.says*p.due.shout/p.due.says {
			v.Shout = shout
		}
		if err = client.Emit(p.room, say, v); err == nil {
			p.says++
		}
	} else if err = p.call(); err == nil {
		p.calls++
	}
	var refused *codec.Error
	busy := errors.Is(err, client.ErrFull) || errors.As(err, &refused) && refused.Code == codec.TooManyRequests
	if err != nil && !busy {
		p.run.note("client %d cannot send: %v", p.index, err)
	}
	return err == nil
}

// call sends a request. Under mu.
func (p *player) call() error {
	n := p.calls + 1
	return client.Ask(p.room, call, n, func(got int, err error) {
		if err != nil || got != n {
			p.run.note("client %d: request %d was answered by %d, %v", p.index, n, got, err)
			return
		}
		p.took(&p.replies, "reply", n)
	})
}

// settled reports whether everything has come, there and here.
func (p *player) settled() bool {
	s, due := p.run.seats[p.index], p.due
	s.mu.Lock()
	there := s.says.has(due.says) && s.calls.has(due.calls) && s.answers.has(due.asks)
	s.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	here := p.replies.has(due.calls) && p.tells.has(due.tells) && p.asks.has(due.asks)
	for _, i := range p.run.mates(p.index) {
		here = here && p.told[i] != nil && p.told[i].has(p.run.players[i].due.shout)
	}
	return there && here
}

// count adds this client's streams, both ways. shouts is how many events of each client's everyone was told.
func (p *player) count(t *tally, shouts []int) {
	s := p.run.seats[p.index]
	s.mu.Lock()
	defer s.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	t.add(&s.says, p.says)
	t.add(&s.calls, p.calls)
	t.add(&p.replies, s.replied)
	t.add(&p.tells, s.tells)
	t.add(&p.asks, s.asks)
	t.add(&s.answers, p.echoed)
	for _, i := range p.run.mates(p.index) {
		from := p.told[i]
		if from == nil {
			from = &stream{}
		}
		t.add(from, shouts[i])
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
