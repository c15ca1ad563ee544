//go:build linux

package main

import (
	"context"
	"slices"
	"time"
)

// echoCmd is the workload echo.
type echoCmd struct {
	Clients int           `name:"clients" default:"64" help:"Clients, each with one request on its way."`
	Window  time.Duration `name:"window" default:"5s" help:"How long to measure, on each of the two rooms."`
	Warmup  time.Duration `name:"warmup" default:"1s" help:"How long to play before that."`
	AsTCP   bool          `name:"tcp" help:"Volley's TCP transport in place of WebSocket."`
}

// Run measures.
func (c *echoCmd) Run(ctx context.Context, b *bench) error {
	r, err := c.measure(ctx, b, nil)
	if err != nil {
		return err
	}
	ticking, err := c.on(ctx, b, nil, kindEchoTick)
	if err != nil {
		return err
	}
	event := *r
	event.figures, event.charts = slices.Clone(r.figures), nil
	event.label = "event-driven room"
	ticking.label = "60 Hz room"
	for i := range r.figures {
		r.figures[i].label = "" // they are in the table of both
	}
	r.rows, r.partsKey = []*result{&event, ticking}, "phases"
	r.charts = append(r.charts, ticking.charts...)
	return b.publish(r)
}

// measure plays on the event-driven room.
func (c *echoCmd) measure(ctx context.Context, b *bench, p plug) (*result, error) {
	return c.on(ctx, b, p, kindEcho)
}

// on plays on one kind of room.
func (c *echoCmd) on(ctx context.Context, b *bench, p plug, kind string) (*result, error) {
	server := b.server("echo")
	load := loadSpec{
		Transport: transport(c.AsTCP), Kind: kind, Event: string(pingEvent), Send: inputSize, Receive: inputSize,
		Style: styleTurns,
	}
	server.Transport = load.Transport
	f, err := b.muster(ctx, job{conns: c.Clients, server: server, load: load, plug: p})
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
	w, err := b.measure(f, kind+": asking", c.Window)
	if err != nil {
		return nil, err
	}
	r := newResult("echo", nameOf(p))
	r.notes = append(r.notes, f.plan.notes...)
	r.add("clients", "clients", "", f.conns)
	r.add("hz", "", "", map[string]int{kindEchoTick: 60}[kind])
	r.add("round_trips_per_s", "round trips", "1/s", w.rate(w.sum.Answers))
	if w.known {
		r.add("cpu_us_per_round_trip", "server CPU per round trip", "µs", w.cpuPer(w.sum.Answers))
	}
	r.add("rtt_p50_us", "round trip p50", "µs", w.latency.us(50))
	r.add("rtt_p99_us", "round trip p99", "µs", w.latency.us(99))
	r.add("rtt_p999_us", "round trip p99.9", "µs", w.latency.us(99.9))
	r.add("rtt_max_us", "round trip max", "µs", w.latency.maxUs())
	r.addServer(w)
	r.addLoad(w)
	name := map[string]string{kindEcho: "an event-driven room", kindEchoTick: "a 60 Hz room"}[kind]
	r.charts = append(r.charts, percentileChart("Round trip on "+name, w.latency.points()))
	return r, nil
}
