package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/internal/faults"
)

// soak is a run in which clients come and go: they join, leave, are cut, stall, come back, and vanish. What it shows is that
// nothing stays behind.
type soak struct {
	cfg config
	srv *volley.Server
	complaints

	lives, vanished, rejoined, resynced, heard, poured, cuts atomic.Int64
}

// soakFor runs a soak that long, after a warm-up, and reports whether nothing grew.
func soakFor(ctx context.Context, cfg config, d time.Duration, out, errs io.Writer) bool {
	s := &soak{cfg: cfg}
	logger := slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: slog.LevelError}))
	s.srv = volley.New(serverConfig(&cfg, logger), s.kinds()...)
	err := s.srv.Listen()
	if err != nil {
		_, _ = fmt.Fprintln(errs, "soak:", err)
		return false
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- s.srv.Run(serving) }()

	var start, end resources
	if err = s.play(ctx, max(d/5, 2*time.Second), out); err == nil {
		start = resourcesNow()
		_, _ = fmt.Fprintf(out, "start: %v\n", start)
		if err = s.play(ctx, d, out); err == nil {
			end = resourcesNow()
			_, _ = fmt.Fprintf(out, "end:   %v\n", end)
			err = end.grown(start)
		}
	}
	stop()
	if cfg.dump != nil {
		defer time.AfterFunc(8*time.Second, cfg.dump).Stop()
	}
	if err = errors.Join(err, <-served, s.all()); err != nil {
		_, _ = fmt.Fprintln(errs, "soak:", err)
	}
	st := s.srv.Stats()
	_, _ = fmt.Fprintf(out, "%d tokens refused, "+
		"%d sessions taken over, %d expired; seats: %d resumed, %d resynced, %d expired; closed by code: %v\n",
		st.Sessions.Refused, st.Sessions.TakenOver, st.Sessions.Expired,
		st.Rooms.Resumed, st.Rooms.Resynced, st.Rooms.Expired, st.Net.Closed)
	_, _ = fmt.Fprintf(out, "soak: "+
		"%d lives, %d vanished, %d cuts, %d resumed, %d resynced, %d joined again, %d events up, %d down\n",
		s.lives.Load(), s.vanished.Load(), s.cuts.Load(), st.Sessions.Resumed,
		s.resynced.Load(), s.rejoined.Load(), s.heard.Load(), s.poured.Load())
	return err == nil
}

// play has clients live for that long, and waits until nothing of them is left.
func (s *soak) play(ctx context.Context, d time.Duration, out io.Writer) error {
	living, stop := context.WithTimeout(ctx, d)
	defer stop()
	var all sync.WaitGroup
	for i := range s.cfg.clients {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(s.cfg.seed, uint64(i)+uint64(s.lives.Load())<<20))
			for living.Err() == nil {
				if err := s.live(living, rng); err != nil && living.Err() == nil {
					s.note("client %d: %v", i, err)
				}
			}
		})
	}
	went := make(chan struct{})
	go func() { all.Wait(); close(went) }()
	minutes := time.NewTicker(time.Minute)
	defer minutes.Stop()
	for over := false; !over; {
		select {
		case <-went:
			over = true
		case <-minutes.C:
			_, _ = fmt.Fprintf(out, "now:   %v, %d lives\n", resourcesNow(), s.lives.Load())
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.empty(ctx)
}

// empty waits until the server holds nothing of a client any more: who vanished is waited for in vain.
func (s *soak) empty(ctx context.Context) error {
	for by := time.Now().Add(pubGrace + 15*time.Second); ; sleep(ctx, 50*time.Millisecond) {
		st := s.srv.Stats()
		if st.Rooms.Rooms == 0 && st.Rooms.Away == 0 && st.Sessions.Held == 0 && st.Net.Open == 0 && st.Net.Handshakes == 0 {
			return nil
		}
		if time.Now().After(by) || ctx.Err() != nil {
			return fmt.Errorf("left behind when everybody has gone: "+
				"%d rooms, %d seats, %d sessions (%d away), %d connections, %d handshakes",
				st.Rooms.Rooms, st.Rooms.Away, st.Sessions.Held, st.Sessions.Away, st.Net.Open, st.Net.Handshakes)
		}
	}
}

// live is the life of one client: it comes, plays in some rooms, and goes, in one way or another.
func (s *soak) live(ctx context.Context, rng *rand.Rand) error {
	s.lives.Add(1)
	target, scheme := s.srv.Addr().String(), "ws"
	if rng.IntN(2) == 0 {
		target, scheme = s.srv.TCPAddr().String(), "tcp"
	}
	mix, seed := s.cfg.mix, rng.Uint64()
	mix.Life, mix.Freeze = 2*time.Second, 3*time.Second
	proxy, err := faults.Listen(target, func(n int) faults.Plan { return mix.Plan(seed, n) })
	if err != nil {
		return err
	}
	closeProxy := sync.OnceFunc(func() {
		for _, n := range proxy.Cuts() {
			s.cuts.Add(int64(n))
		}
		proxy.Close()
	})
	defer closeProxy()
	c, err := client.Dial(ctx, scheme+"://"+proxy.Addr()+"/volley", client.Config{
		DialTimeout: 5 * time.Second, Reconnect: client.Reconnect{Min: 20 * time.Millisecond, Max: 200 * time.Millisecond},
	})
	var refused *client.CloseError
	if errors.As(err, &refused) && refused.Remote {
		return err
	}
	if err != nil {
		return nil // it was cut
	}
	defer func() {
		_ = c.Close()
		<-c.Done()
	}()
	for range 1 + rng.IntN(3) {
		if err := s.visit(ctx, c, rng); err != nil {
			return err
		}
	}
	if rng.IntN(3) == 0 {
		s.vanished.Add(1)
		closeProxy() // nobody hears its goodbye
	}
	return nil
}

// visit is a client's stay in one room.
func (s *soak) visit(ctx context.Context, c *client.Client, rng *rand.Rand) error {
	r, err := c.JoinOrCreate(ctx, pubNames[rng.IntN(len(pubNames))], nil, s.guest)
	if err != nil {
		return err
	}
	until := time.Now().Add(time.Duration(rng.ExpFloat64() * float64(3*time.Second)))
	for n := 1; time.Now().Before(until) && ctx.Err() == nil; sleep(ctx, time.Duration(rng.IntN(100))*time.Millisecond) {
		if client.Emit(r, hear, n) == nil {
			n++
		}
	}
	if rng.IntN(4) == 0 {
		return nil // the next room as well
	}
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return r.Leave(leaving)
}

// guest sets up a room.
func (s *soak) guest(r *client.Room) {
	due, mooded := 1, 0
	client.On(r, pour, func(n int, _ client.Meta) {
		if due != 0 && n != due {
			s.note("in %s: %d came where %d was due", r.Kind(), n, due)
		}
		due = n + 1
		s.poured.Add(1)
	})
	client.On(r, mood, func(n int, _ client.Meta) {
		if n < mooded {
			s.note("the mood went from %d to %d", mooded, n)
		}
		mooded = n
	})
	r.OnResync(func(uint64) {
		due = 0 // any
		s.resynced.Add(1)
	})
	r.OnRejoin(func(int) {
		due, mooded = 1, 0
		s.rejoined.Add(1)
	})
	r.OnLeft(func(code codec.Code, reason string) {
		if code != codec.Left && code != codec.Normal {
			s.note("out of %s: %d %s", r.Kind(), code, reason)
		}
	})
}
