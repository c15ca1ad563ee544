//go:build linux

package main

import (
	"maps"
	"slices"
	"time"
)

// window is what happened in a fleet between two moments.
type window struct {
	cpu      time.Duration // of the servers, in all
	wall     time.Duration // as the servers' CPU saw it
	loadCPU  time.Duration // of the busiest load process
	loadWall time.Duration // as the load processes saw it
	known    bool          // cpu and what servers say of themselves is known

	sum     loadReport // of all load processes
	latency latencies
	late    latencies // of sends
	server  serverReport
	allocs  uint64 // objects that the servers made in the window
	frames  uint64 // that the servers handed to sockets in the window
	samples []sample
}

// sample is a look at a window while it lasts.
type sample struct {
	at     time.Duration
	frames float64 // a second
	live   int
}

// measure lets a window of d pass. show hears how much of it has.
func (f *fleet) measure(d time.Duration, show func(time.Duration)) (*window, error) {
	nothing := func() error { return nil }
	return f.measureBetween(nothing, nothing, d, show)
}

// measureBetween is measure with something to do when the window has just begun, and before it ends.
func (f *fleet) measureBetween(first, last func() error, d time.Duration, show func(time.Duration)) (*window, error) {
	cpu0, at0, servers0, err := f.markServers(true)
	if err != nil {
		return nil, err
	}
	loads0, err := each(f.loads, same(command{Do: "mark", Reset: true}), nil)
	if err != nil {
		return nil, f.why(err)
	}
	allocs0, err := f.allocs()
	if err != nil {
		return nil, err
	}
	if err := first(); err != nil {
		return nil, err
	}
	w := &window{latency: newLatencies(), late: newLatencies()}
	if err := f.watch(w, d, show); err != nil {
		return nil, err
	}
	if err := last(); err != nil {
		return nil, err
	}
	allocs1, err := f.allocs()
	if err != nil {
		return nil, err
	}
	loads1, err := each(f.loads, same(command{Do: "mark"}), nil)
	if err != nil {
		return nil, f.why(err)
	}
	cpu1, at1, servers1, err := f.markServers(false)
	if err != nil {
		return nil, err
	}
	w.cpu, w.wall, w.known = cpu1-cpu0, at1-at0, len(servers1) > 0
	w.allocs = allocs1 - allocs0
	for i, r := range loads1 {
		if err := w.addLoad(loads0[i].Load, r.Load); err != nil {
			return nil, err
		}
	}
	for i, r := range servers1 {
		w.addServer(servers0[i].Server, r.Server)
	}
	return w, nil
}

// allocs is how many heap objects the servers have made.
func (f *fleet) allocs() (sum uint64, err error) {
	out, err := f.askServers(command{Do: "allocs"})
	for _, r := range out {
		if r.Server != nil {
			sum += r.Server.Allocs
		}
	}
	return sum, err
}

// watch waits, and looks once a second.
func (f *fleet) watch(w *window, d time.Duration, show func(time.Duration)) error {
	began := time.Now()
	var frames uint64
	last := time.Duration(0)
	for {
		left := d - time.Since(began)
		if left <= 0 {
			return nil
		}
		if err := f.wait(min(left, time.Second)); err != nil {
			return err
		}
		now := time.Since(began)
		show(min(now, d))
		if now-last < time.Second/2 {
			continue
		}
		out, err := each(f.loads, same(command{Do: "peek"}), nil)
		if err != nil {
			return f.why(err)
		}
		var sum uint64
		live := 0
		for _, r := range out {
			sum += r.Load.Frames
			live += r.Load.Live
		}
		w.samples = append(w.samples, sample{now, float64(sum-frames) / (now - last).Seconds(), live})
		frames, last = sum, now
	}
}

// markServers reads the servers' CPU clocks from outside, or takes a remote server's word. The first mark reads them last and
// the second one first, so that a mark's own work is not in the window.
func (f *fleet) markServers(begin bool) (cpu, at time.Duration, out []reply, err error) {
	read := func() error {
		at = time.Duration(monotonic())
		for _, s := range f.servers {
			c, err := cpuOf(s.pid())
			if err != nil {
				return f.why(err)
			}
			cpu += c
		}
		return nil
	}
	if !begin {
		err = read()
	}
	if err == nil {
		out, err = f.askServers(command{Do: "mark", Reset: begin})
	}
	if begin && err == nil {
		err = read()
	}
	if len(f.servers) == 0 && len(out) > 0 && err == nil {
		cpu, at = time.Duration(out[0].Server.CPU), time.Duration(out[0].Server.At)
	}
	return cpu, at, out, err
}

func (w *window) addLoad(before, after *loadReport) error {
	w.loadCPU = max(w.loadCPU, time.Duration(after.CPU-before.CPU))
	w.loadWall = max(w.loadWall, time.Duration(after.At-before.At))
	s := &w.sum
	s.Joined += after.Joined
	s.Live += after.Live
	s.Due += after.Due
	s.Sent += after.Sent
	s.Frames += after.Frames
	s.Messages += after.Messages
	s.Answers += after.Answers
	s.Bytes += after.Bytes
	if s.Closed == nil {
		s.Closed = map[string]int{}
	}
	for _, why := range slices.Sorted(maps.Keys(after.Closed)) {
		s.Closed[why] += after.Closed[why]
	}
	if err := w.latency.add(after.Latency); err != nil {
		return err
	}
	return w.late.add(after.Late)
}

func (w *window) addServer(before, after *serverReport) {
	s := &w.server
	w.frames += after.Frames - before.Frames
	s.Steps += after.Steps
	s.Skipped += after.Skipped
	s.Open += after.Open
	s.Rooms += after.Rooms
	s.Slow += after.Slow
	s.Failed += after.Failed
	s.GCs += after.GCs - before.GCs
	if len(s.Lateness) == 0 || at(after.Lateness, 99) > at(s.Lateness, 99) {
		s.Lateness = after.Lateness // of several servers the worst
	}
}

// rate is n a second, as the load processes count seconds.
func (w *window) rate(n uint64) float64 {
	if w.loadWall <= 0 {
		return 0
	}
	return float64(n) / w.loadWall.Seconds()
}

// cores is how many cores the servers kept busy.
func (w *window) cores() float64 {
	if w.wall <= 0 {
		return 0
	}
	return w.cpu.Seconds() / w.wall.Seconds()
}

// cpuPer is the servers' CPU time for each of n, in µs. Both sides' clocks began and ended their windows a moment apart, so it
// is a quotient of rates.
func (w *window) cpuPer(n uint64) float64 {
	r := w.rate(n)
	if r == 0 {
		return 0
	}
	return w.cores() / r * 1e6
}

// loadBusy is the share of a core that the busiest load process used. Near 1 it is the load that was measured.
func (w *window) loadBusy() float64 {
	if w.loadWall <= 0 {
		return 0
	}
	return w.loadCPU.Seconds() / w.loadWall.Seconds()
}
