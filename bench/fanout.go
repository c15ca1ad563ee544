//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// fanoutCmd is the workload fanout. It plays twice: single, where every broadcast is a volley of its own, so that a frame is
// a message; and queued, where several broadcasts are waiting whenever a volley leaves, as when they come faster than the sockets
// take them. What a frame costs is a figure of the first, what a message costs is one of the second.
type fanoutCmd struct {
	Clients int           `name:"clients" default:"1000" help:"Clients in the room."`
	Queue   int           `name:"queue" default:"8" help:"Broadcasts that wait when a volley leaves, in the queued part."`
	Ahead   int           `name:"ahead" default:"32" help:"How many broadcasts (times -queue) the room may be ahead of its clients."`
	Window  time.Duration `name:"window" default:"5s" help:"How long to measure, in each part."`
	Warmup  time.Duration `name:"warmup" default:"1s" help:"How long to play before that."`
	AsTCP   bool          `name:"tcp" help:"Volley's TCP transport in place of WebSocket."`
}

// Run measures.
func (c *fanoutCmd) Run(ctx context.Context, b *bench) error {
	r, err := c.measure(ctx, b, nil)
	if err != nil {
		return err
	}
	return b.publish(r)
}

// measure plays both parts.
func (c *fanoutCmd) measure(ctx context.Context, b *bench, p plug) (*result, error) {
	server := b.server(kindFanout)
	load := loadSpec{
		Transport: transport(c.AsTCP), Kind: kindFanout, Event: string(seenEvent), Send: inputSize, Receive: stateSize,
		Style: styleListen, PeriodNs: int64(2 * time.Second),
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
	single, err := c.part(f, b, nameOf(p), 1)
	if err != nil {
		return nil, err
	}
	queued, err := c.part(f, b, nameOf(p), c.Queue)
	if err != nil {
		return nil, err
	}
	r := newResult("fanout", nameOf(p))
	r.notes = append(r.notes, f.plan.notes...)
	r.add("clients", "clients", "", c.Clients)
	for _, from := range []struct {
		part *result
		keys []string
	}{{single, []string{"frames_per_s", "cpu_us_per_frame"}}, {queued, []string{"messages_per_s", "cpu_us_per_message"}}} {
		for _, k := range from.keys {
			if v, ok := from.part.number(k); ok {
				r.add(k, "", "", v)
			}
		}
	}
	r.rows, r.partsKey = []*result{single, queued}, "phases"
	r.charts = append(single.charts, queued.charts...)
	return r, nil
}

// part plays one part.
func (c *fanoutCmd) part(f *fleet, b *bench, server string, burst int) (*result, error) {
	name := "single"
	if burst > 1 {
		name = "queued"
	}
	if err := f.broadcast(burst, burst*c.Ahead); err != nil {
		return nil, err
	}
	if err := f.wait(c.Warmup); err != nil {
		return nil, err
	}
	w, err := b.measure(f, name+": broadcasting", c.Window)
	if err != nil {
		return nil, err
	}
	if err := f.broadcast(0, 0); err != nil {
		return nil, err
	}
	if err := f.wait(100 * time.Millisecond); err != nil {
		return nil, err
	}
	if w.sum.Frames == 0 {
		return nil, fmt.Errorf("no broadcast has arrived; connections ended: %v", w.sum.Closed)
	}
	r := newResult("fanout", server)
	r.label = name
	r.add("phase", "", "", name)
	r.add("frames_per_s", "frames", "1/s", w.rate(w.sum.Frames))
	r.add("messages_per_s", "messages", "1/s", w.rate(w.sum.Messages))
	r.add("messages_per_frame", "messages in a frame", "", float64(w.sum.Messages)/float64(w.sum.Frames))
	if w.known {
		r.add("cpu_us_per_frame", "server CPU per frame", "µs", w.cpuPer(w.sum.Frames))
		r.add("cpu_us_per_message", "server CPU per message", "µs", w.cpuPer(w.sum.Messages))
	}
	r.add("e2e_p50_us", "broadcast to client p50", "µs", w.latency.us(50))
	r.add("e2e_p99_us", "broadcast to client p99", "µs", w.latency.us(99))
	r.addServer(w)
	r.addLoad(w)
	r.charts = append(r.charts, rateChart("Frames a second, "+name, w.samples))
	return r, nil
}
