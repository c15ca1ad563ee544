//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// config is what is to be measured.
type config struct {
	clients, stalled int
	room             int           // clients in one
	stall            time.Duration // how long they do not read
	rounds           int
	timeout          time.Duration
}

func defaults() config {
	return config{clients: 1000, stalled: 100, room: 50, stall: 10 * time.Second, rounds: 5, timeout: 5 * time.Minute}
}

// what a run must keep to.
const (
	maxBytes  = 64 << 10 // for each stalled client
	maxFrames = 1        // to catch up
	maxKernel = 100      // frames that the kernel took, of a client's: more, and the stall was none
)

// result is what was measured.
type result struct {
	bytes, rss, heap int64   // for each stalled client
	calm, stalled    int64   // p99, ns
	ratio            float64 // of those
	frames           int     // to catch up: the most
	kernel, notes    int     // the most frames the kernel had, the longest frame
}

// window is one measurement.
type window struct {
	p99       int64
	rss, heap int64 // growth
	wakes     []*waking
}

// load is the clients.
type load struct {
	cfg     config
	server  *child
	readers []*reader
	faults  faults
}

// measure does all of it.
func measure(ctx context.Context, cfg config, say func(string, ...any)) (res result, err error) {
	if cfg.room < 2 || cfg.clients%cfg.room != 0 || cfg.stalled < 1 || cfg.clients < 2*cfg.stalled || cfg.rounds < 1 {
		return res, errors.New("clients must fill their rooms, and at most half of them, one at least, may stall")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.timeout, fmt.Errorf("not done within -timeout %v", cfg.timeout))
	defer cancel()
	l := &load{cfg: cfg}
	if l.server, err = startServer(); err != nil {
		return res, err
	}
	defer func() {
		l.leave()
		err = errors.Join(err, l.server.end())
	}()
	if err = l.enter(ctx); err != nil {
		return res, err
	}
	say("%d clients are in; each window takes %v", cfg.clients, l.window())
	sleep(ctx, 2*time.Second)
	var calm, stalled []window
	for round := range 2 * cfg.rounds {
		stalls := round%2 == 1
		w, err := l.measure(ctx, stalls)
		if err != nil {
			return res, err
		}
		if stalls {
			stalled = append(stalled, w)
		} else {
			calm = append(calm, w)
		}
		say("stall %-5v p99 %v, resident set %+d KiB, heap %+d KiB",
			stalls, time.Duration(w.p99).Round(time.Microsecond), w.rss>>10, w.heap>>10)
		sleep(ctx, 2*time.Second)
	}
	return l.result(calm, stalled), l.wrong()
}

// enter brings all clients into their rooms. Those that will stall are spread over all of them.
func (l *load) enter(ctx context.Context) error {
	every := l.cfg.clients / l.cfg.stalled
	for i := range l.cfg.clients {
		stalls := i%every == every-1 && i/every < l.cfg.stalled
		l.readers = append(l.readers, &reader{index: i, fault: l.faults.add, stalls: stalls})
	}
	errs := make([]error, l.cfg.clients/l.cfg.room)
	var all sync.WaitGroup
	for h := range errs {
		all.Go(func() {
			id, newest := "", new(atomic.Uint64)
			for _, r := range l.readers[h*l.cfg.room : (h+1)*l.cfg.room] {
				r.newest = newest
				if id, errs[h] = r.enter(ctx, l.server.url, id); errs[h] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (l *load) leave() {
	for _, r := range l.readers {
		if r.client != nil {
			_ = r.client.Close()
			<-r.client.Done()
		}
	}
}

const (
	wakeOver  = time.Second
	aftermath = time.Second // the rest of a window
)

// window is how long one takes: a stall, and what comes of its end.
func (l *load) window() time.Duration { return l.cfg.stall + wakeOver + aftermath }

// measure is one window, with a stall or without.
func (l *load) measure(ctx context.Context, stalls bool) (w window, err error) {
	before, err := l.server.memory()
	if err != nil {
		return w, err
	}
	for _, r := range l.readers {
		r.mu.Lock()
		r.times = r.times[:0]
		r.mu.Unlock()
		if stalls && r.stalls {
			r.sleep()
		}
	}
	sleep(ctx, l.cfg.stall)
	after, err := l.server.memory()
	w.rss, w.heap = after.RSS-before.RSS, after.Heap-before.Heap
	w.wakes = l.wake(ctx, stalls) // whatever happened: a client that sleeps cannot be closed
	if err != nil {
		return w, err
	}
	sleep(ctx, aftermath)
	for _, k := range w.wakes {
		select {
		case <-k.done:
		case <-time.After(10 * time.Second):
			return w, errors.New("a client that reads again does not catch up")
		}
	}
	for _, r := range l.readers {
		if r.stalls {
			r.receive(receiveBuffer)
		}
	}
	w.p99 = l.p99()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return w, err
}

// wake wakes those who sleep, one after the other for as long as wakeOver: not even phones wake up all in one millisecond.
func (l *load) wake(ctx context.Context, stalls bool) (wakes []*waking) {
	for _, r := range l.readers {
		if r.stalls {
			sleep(ctx, wakeOver/time.Duration(l.cfg.stalled))
		}
		if r.stalls && stalls {
			wakes = append(wakes, r.wake())
		}
	}
	return wakes
}

// p99 is the 99th percentile of this window's times.
func (l *load) p99() int64 {
	var all []int64
	for _, r := range l.readers {
		r.mu.Lock()
		all = append(all, r.times...)
		r.mu.Unlock()
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)*99/100]
}

func (l *load) result(calm, stalled []window) (res result) {
	n := int64(l.cfg.stalled)
	of := func(list []window, get func(w *window) int64) int64 {
		var all []int64
		for i := range list {
			all = append(all, get(&list[i]))
		}
		return median(all)
	}
	res.rss = of(stalled, func(w *window) int64 { return w.rss }) / n
	res.heap = of(stalled, func(w *window) int64 { return w.heap }) / n
	res.bytes = max(0, res.rss, res.heap)
	res.calm = of(calm, func(w *window) int64 { return w.p99 })
	res.stalled = of(stalled, func(w *window) int64 { return w.p99 })
	res.ratio = float64(res.stalled) / float64(max(1, res.calm))
	for _, w := range stalled {
		for _, k := range w.wakes {
			if res.frames = max(res.frames, k.frames); k.frames == 0 {
				l.faults.add("a client was not stalled: the kernel took all %d frames", k.kernel)
			}
			res.kernel, res.notes = max(res.kernel, k.kernel), max(res.notes, k.largest)
		}
	}
	return res
}

// wrong is what the clients complained about.
func (l *load) wrong() error {
	l.faults.mu.Lock()
	defer l.faults.mu.Unlock()
	var errs []error
	for _, f := range l.faults.list {
		errs = append(errs, errors.New(f))
	}
	if more := l.faults.n - len(l.faults.list); more > 0 {
		errs = append(errs, fmt.Errorf("and %d more like these", more))
	}
	return errors.Join(errs...)
}

// median of a list that is not empty.
func median(list []int64) int64 {
	slices.Sort(list)
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
