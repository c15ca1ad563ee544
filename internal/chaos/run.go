package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/internal/faults"
)

// listener opens a server's listener.
type listener func(network, address string) (net.Listener, error)

// run is one run: a server, its clients, and a proxy for each of them.
type run struct {
	// Static after construction.
	cfg     config
	seats   []*seat
	players []*player
	proxies []*faults.Proxy

	srv     *volley.Server
	arrived atomic.Int64
	complaints
}

// came counts an arrival.
func (r *run) came(due bool, what string, n int) {
	r.arrived.Add(1)
	if !due {
		r.note("%s %d was not the one that was due", what, n)
	}
}

// mates are the clients in the room of client i, itself among them.
func (r *run) mates(i int) []int {
	size := r.cfg.clients / r.cfg.rooms
	first := i / size * size
	mates := make([]int, size)
	for k := range mates {
		mates[k] = first + k
	}
	return mates
}

// serverConfig is a server's: its defaults, but that one address may connect as often as it likes, since all clients have it.
func serverConfig(cfg *config, logger *slog.Logger) volley.Config {
	return volley.Config{
		Addr: cfg.host + ":0", TCPAddr: cfg.host + ":0", Listen: cfg.listen, Logger: logger,
		ConnsPerAddress: -1, HandshakesPerSecondPerAddress: -1,
	}
}

// start makes the server, and a proxy for each client, over either transport in turn.
func (r *run) start(logger *slog.Logger) error {
	r.srv = volley.New(serverConfig(&r.cfg, logger), r.kinds()...)
	if err := r.srv.Listen(); err != nil {
		return err
	}
	mix := r.cfg.mix
	mix.Life = r.cfg.life
	for i, p := range r.players {
		scheme, target := "ws", r.srv.Addr().String()
		if i%2 == 1 {
			scheme, target = "tcp", r.srv.TCPAddr().String()
		}
		proxy, err := faults.Listen(target, func(n int) faults.Plan { return mix.Plan(r.cfg.seed<<20+uint64(i), n) })
		if err != nil {
			return err
		}
		r.proxies = append(r.proxies, proxy)
		p.url = scheme + "://" + proxy.Addr() + "/volley"
	}
	return nil
}

// outcome is what came of a run.
type outcome struct {
	tally
	cuts   int
	by     [faults.Hows]int // the cuts
	took   time.Duration
	resume int // times that a client came back to its session
	stats  volley.Stats
	wrong  error
}

// chaos does a run. ctx ends it early.
func chaos(ctx context.Context, cfg config, p *progress) outcome {
	all, err := cfg.shares()
	if err != nil {
		return outcome{wrong: err}
	}
	r := &run{cfg: cfg}
	for i, due := range all {
		r.seats = append(r.seats, &seat{index: i, due: due})
		r.players = append(r.players, &player{run: r, index: i, due: due})
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.timeout, fmt.Errorf("not done within -timeout %v", cfg.timeout))
	defer cancel()
	defer func() {
		for _, proxy := range r.proxies {
			proxy.Close()
		}
	}()
	began := time.Now()
	if err = r.start(slog.New(slog.NewTextHandler(p.out, &slog.HandlerOptions{Level: slog.LevelError}))); err != nil {
		return outcome{wrong: errors.Join(err, r.srv.Close(ctx))}
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- r.srv.Run(serving) }()
	if err = r.enter(ctx); err == nil {
		err = r.play(ctx, p)
	}
	o := r.count()
	o.took, o.stats = time.Since(began), r.srv.Stats()
	for _, pl := range r.players {
		if pl.client != nil {
			_ = pl.client.Close()
			<-pl.client.Done()
		}
	}
	stop()
	o.wrong = errors.Join(err, <-served, r.all())
	return o
}

// enter brings all clients into their rooms: of each, one makes it and the others follow.
func (r *run) enter(ctx context.Context) error {
	var all sync.WaitGroup
	errs := make([]error, len(r.players))
	size := r.cfg.clients / r.cfg.rooms
	for hall := range r.cfg.rooms {
		all.Go(func() {
			kind, first := kindNames[hall%len(kindNames)], hall*size
			if errs[first] = r.players[first].enter(ctx, kind, ""); errs[first] != nil {
				return
			}
			id := r.players[first].room.ID()
			for i := first + 1; i < first+size; i++ {
				all.Go(func() { errs[i] = r.players[i].enter(ctx, kind, id) })
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// again is how long connections go on being cut when all has come, for what might come again.
const again = time.Second

// play has all clients play until all has come, or nothing comes any more.
func (r *run) play(ctx context.Context, p *progress) error {
	defer p.end()
	playing, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for i, pl := range r.players {
		all.Go(func() { pl.play(playing, rand.New(rand.NewPCG(r.cfg.seed, uint64(i)))) })
	}
	defer all.Wait()
	defer stop()
	moved, last := time.Now(), int64(0)
	for !r.settled() {
		sleep(ctx, 100*time.Millisecond)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		now := r.arrived.Load()
		if now != last {
			moved, last = time.Now(), now
		}
		if p.set(int(now)); time.Since(moved) > r.cfg.patience {
			if r.cfg.dump != nil {
				r.cfg.dump()
			}
			return fmt.Errorf("nothing has come for %v", r.cfg.patience)
		}
	}
	sleep(ctx, again)
	return nil
}

func (r *run) settled() bool {
	if r.arrived.Load() < int64(r.cfg.events) {
		return false
	}
	for _, pl := range r.players {
		if !pl.settled() {
			return false
		}
	}
	return true
}

// count adds up what was sent and what came.
func (r *run) count() (o outcome) {
	shouts := make([]int, len(r.seats))
	for i, s := range r.seats {
		s.mu.Lock()
		shouts[i] = s.shouts
		s.mu.Unlock()
	}
	for _, pl := range r.players {
		pl.count(&o.tally, shouts)
		o.resume += int(pl.resumed.Load())
	}
	for _, proxy := range r.proxies {
		for how, n := range proxy.Cuts() {
			o.by[how] += n
			o.cuts += n
		}
	}
	return o
}

// print says how a run went, and reports whether it went well.
func (o *outcome) print(cfg *config, out, errs io.Writer) bool {
	if o.wrong != nil {
		_, _ = fmt.Fprintf(errs, "chaos: %v\n", o.wrong)
	}
	st := &o.stats
	_, _ = fmt.Fprintf(out, "%d clients in %d rooms for %v; "+
		"%d connections, %d sessions resumed (%d while the old connection lived), %d tokens refused\n",
		cfg.clients, cfg.rooms, o.took.Round(100*time.Millisecond), st.Net.Opened, o.resume, st.Sessions.TakenOver, st.Sessions.Refused)
	_, _ = fmt.Fprint(out, "cuts:")
	for how := faults.End; how < faults.Hows; how++ {
		_, _ = fmt.Fprintf(out, " %d %v", o.by[how], how)
	}
	_, _ = fmt.Fprintf(out, "; closed by code: %v\n%s\n", st.Net.Closed, o.line(o.cuts))
	return o.wrong == nil && o.exact(cfg.events)
}
