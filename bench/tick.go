//go:build linux

package main

import (
	"context"
	"time"
)

// tickCmd is the workload tick: a scheduler in a process of its own, with tasks that do nothing. There is no load, so it may
// have all cores.
type tickCmd struct {
	Rooms  int           `name:"rooms" default:"10000" help:"Tasks."`
	Hz     int           `name:"hz" default:"60" help:"Ticks a second of each."`
	Window time.Duration `name:"window" default:"10s" help:"How long to measure."`
	Warmup time.Duration `name:"warmup" default:"2s" help:"How long to tick before that."`
}

// Run measures.
func (c *tickCmd) Run(ctx context.Context, b *bench) error {
	l, err := ourselves("server")
	if err != nil {
		return err
	}
	l.procs = b.Procs
	s, err := start(ctx, l)
	if err != nil {
		return err
	}
	f := &fleet{ctx: ctx, servers: []*child{s}}
	defer f.disband()
	spec := b.server("tick")
	spec.Rooms, spec.Rate = c.Rooms, c.Hz
	if _, err := s.ask(spec, nil); err != nil {
		return err
	}
	if err := f.wait(c.Warmup); err != nil {
		return err
	}
	w, err := b.measure(f, "ticking", c.Window)
	if err != nil {
		return err
	}
	r := newResult("tick", "Volley")
	expected := float64(c.Rooms*c.Hz) * w.wall.Seconds()
	late := w.server.Lateness
	r.add("rooms", "tasks", "", c.Rooms)
	r.add("hz", "ticks", "Hz", c.Hz)
	r.add("ticks_per_s", "ticks that were run", "1/s", float64(w.server.Steps)/w.wall.Seconds())
	// The window ends between two ticks of a task, so there may be one more or less of each.
	r.add("ticks_share", "share of the ticks that were due", "", min(1, float64(w.server.Steps)/expected))
	r.add("ticks_skipped", "skipped", "", int(w.server.Skipped))
	r.add("lateness_p50_us", "lateness p50", "µs", at(late, 50))
	r.add("lateness_p99_us", "lateness p99", "µs", at(late, 99))
	r.add("lateness_p999_us", "lateness p99.9", "µs", at(late, 99.9))
	r.add("lateness_max_us", "lateness max", "µs", at(late, 100))
	r.addServer(w)
	r.add("allocs_per_tick", "heap objects made per tick", "", float64(w.allocs)/float64(max(w.server.Steps, 1)))
	r.charts = append(r.charts, percentileChart("Tick lateness", late))
	return b.publish(r)
}
