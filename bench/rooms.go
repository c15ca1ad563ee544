//go:build linux

package main

import (
	"context"
	"errors"
	"time"
)

// roomsCmd is the workload rooms.
type roomsCmd struct {
	Rooms   int           `name:"rooms" default:"100" help:"Rooms; of -find-max, what it begins with."`
	Clients int           `name:"clients" default:"8" help:"Clients in each room."`
	Hz      int           `name:"hz" default:"20" help:"Ticks a second."`
	Window  time.Duration `name:"window" default:"10s" help:"How long to measure."`
	Warmup  time.Duration `name:"warmup" default:"2s" help:"How long to play before that."`
	FindMax bool          `name:"find-max" help:"Raise the rooms until ticks are late or frames are missing."`
	Late    time.Duration `name:"max-lateness" default:"5ms" help:"-find-max: the p99 lateness that is too much."`
	Share   float64       `name:"min-delivered" default:"0.98" help:"-find-max: the share of frames that is too little."`
	AsTCP   bool          `name:"tcp" help:"Volley's TCP transport in place of WebSocket."`
}

// Run measures.
func (c *roomsCmd) Run(ctx context.Context, b *bench) error {
	var r *result
	var err error
	if c.FindMax {
		r, err = c.findMax(ctx, b, nil)
	} else {
		r, err = c.measure(ctx, b, nil)
	}
	if err != nil {
		return err
	}
	return b.publish(r)
}

func (c *roomsCmd) job(b *bench, p plug) job {
	server := b.server(kindRooms)
	server.Rate, server.Clients = c.Hz, c.Clients
	load := loadSpec{
		Transport: transport(c.AsTCP), Kind: kindRooms, Event: string(inputEvent), Send: inputSize, Receive: stateSize,
		Style: stylePaced, PeriodNs: int64(time.Second) / int64(c.Hz), Seats: seats,
	}
	server.Transport = load.Transport
	return job{conns: c.Rooms * c.Clients, server: server, load: load, plug: p}
}

func transport(tcp bool) string {
	if tcp {
		return "tcp"
	}
	return "ws"
}

// measure plays one size.
func (c *roomsCmd) measure(ctx context.Context, b *bench, p plug) (*result, error) {
	if c.Rooms < 1 || c.Clients < 1 || c.Hz < 1 {
		return nil, errors.New("-rooms, -clients and -hz must be at least 1")
	}
	f, err := b.muster(ctx, c.job(b, p))
	if err != nil {
		return nil, err
	}
	defer f.disband()
	if _, err := b.dial(f); err != nil {
		return nil, err
	}
	if err := f.play(); err != nil {
		return nil, err
	}
	if err := f.wait(c.Warmup); err != nil {
		return nil, err
	}
	w, err := b.measure(f, "playing", c.Window)
	if err != nil {
		return nil, err
	}
	return c.result(f, w, nameOf(p)), nil
}

func (c *roomsCmd) result(f *fleet, w *window, server string) *result {
	r := newResult("rooms", server)
	r.notes = append(r.notes, f.plan.notes...)
	expected := float64(c.Rooms*c.Clients*c.Hz) * w.loadWall.Seconds()
	r.add("rooms", "rooms", "", c.Rooms)
	r.add("clients", "clients", "", f.conns)
	r.add("hz", "ticks", "Hz", c.Hz)
	r.add("frames_per_s", "delivered frames", "1/s", w.rate(w.sum.Frames))
	r.add("delivered_share", "delivered share of frames", "", float64(w.sum.Frames)/expected)
	r.add("inputs_per_s", "inputs", "1/s", w.rate(w.sum.Sent))
	if w.known {
		r.add("cpu_us_per_frame", "server CPU per delivered frame", "µs", w.cpuPer(w.sum.Frames))
	}
	if late := w.server.Lateness; len(late) > 0 {
		r.add("lateness_p50_us", "tick lateness p50", "µs", at(late, 50))
		r.add("lateness_p99_us", "tick lateness p99", "µs", at(late, 99))
		r.add("lateness_p999_us", "tick lateness p99.9", "µs", at(late, 99.9))
		r.charts = append(r.charts, percentileChart("Tick lateness", late))
	}
	if w.server.Steps > 0 {
		ticks := float64(w.server.Steps)
		r.add("ticks_share", "", "", ticks/float64(w.server.Steps+w.server.Skipped))
		r.add("allocs_per_tick", "heap objects made per tick", "", float64(w.allocs)/ticks)
	}
	r.add("e2e_p50_us", "input to state p50", "µs", w.latency.us(50))
	r.add("e2e_p99_us", "input to state p99", "µs", w.latency.us(99))
	r.add("e2e_max_us", "input to state max", "µs", w.latency.maxUs())
	r.addServer(w)
	r.addLoad(w)
	r.charts = append(r.charts, percentileChart("From an input to the state that shows it", w.latency.points()),
		rateChart("Delivered frames a second", w.samples))
	return r
}
