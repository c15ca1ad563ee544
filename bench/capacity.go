//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// capacityGOGC is what a server that is to hold many idle connections would be run with: collecting garbage at half of the heap
// instead of all of it costs such a server nothing, and what new connections leave behind spreads over less memory.
const capacityGOGC = 50

// capacityRoom is how many connections share a room.
const capacityRoom = 10

// capacityCmd is the workload capacity.
type capacityCmd struct {
	Conns    int           `name:"conns" default:"15000" help:"Connections."`
	AsTLS    bool          `name:"tls" help:"Over TLS."`
	AsTCP    bool          `name:"tcp" help:"Volley's TCP transport in place of WebSocket."`
	Hold     time.Duration `name:"hold" default:"2m" help:"How long to hold them."`
	Interval time.Duration `name:"interval" default:"1m" help:"Between two events of a connection."`
	Ping     time.Duration `name:"ping" default:"1m" help:"Config.PingInterval of the server."`
	Patience time.Duration `name:"patience" default:"30s" help:"How long to wait for the last answers."`
}

// Run measures.
func (c *capacityCmd) Run(ctx context.Context, b *bench) error {
	r, err := c.measure(ctx, b, nil)
	if err != nil {
		return err
	}
	return b.publish(r)
}

func (c *capacityCmd) job(b *bench, p plug) job {
	server := b.server(kindCapacity)
	server.TLS, server.PingMs = c.AsTLS, c.Ping.Milliseconds()
	server.AcksMs = 2 * c.Interval.Milliseconds() // an event acknowledges the answer to the one before
	load := loadSpec{
		Transport: transport(c.AsTCP), TLS: c.AsTLS, Kind: kindCapacity, Event: string(eventEvent),
		Send: eventSize, Receive: eventSize, Style: stylePaced, PeriodNs: int64(c.Interval),
	}
	server.Transport = load.Transport
	return job{conns: c.Conns, server: server, load: load, plug: p, gogc: capacityGOGC}
}

// held is the memory of everything at one moment.
type held struct {
	servers, loads memory
	kernel         kernelMemory
}

func (f *fleet) held() (h held, err error) {
	for _, g := range []struct {
		of  []*child
		sum *memory
	}{{f.servers, &h.servers}, {f.loads, &h.loads}} {
		for _, c := range g.of {
			m, err := memoryOf(c.pid())
			if err != nil {
				return h, f.why(err)
			}
			g.sum.rss += m.rss
			g.sum.anonymous += m.anonymous
		}
	}
	h.kernel, err = kernelMemoryNow()
	return h, err
}

// measure dials, holds and counts.
func (c *capacityCmd) measure(ctx context.Context, b *bench, p plug) (*result, error) {
	f, err := b.muster(ctx, c.job(b, p))
	if err != nil {
		return nil, err
	}
	defer f.disband()
	f.plan.notes = append(f.plan.notes, warnings(c.Conns)...)
	before, err := f.settled()
	if err != nil {
		return nil, err
	}
	cpu0, _, _, err := f.markServers(true)
	if err != nil {
		return nil, err
	}
	dialled, err := b.dial(f)
	if err != nil {
		return nil, err
	}
	cpu1, _, _, err := f.markServers(false)
	if err != nil {
		return nil, err
	}
	fresh, err := f.held()
	if err != nil {
		return nil, err
	}
	idle, err := f.settled()
	if err != nil {
		return nil, err
	}
	w, err := c.hold(f, b)
	if err != nil {
		return nil, err
	}
	after, err := f.held()
	if err != nil {
		return nil, err
	}
	r := newResult("capacity", nameOf(p))
	r.notes = append(r.notes, f.plan.notes...)
	n := float64(c.Conns)
	r.add("connections", "connections", "", w.sum.Live)
	r.add("server_processes", "server processes", "", len(f.servers))
	r.add("load_processes", "load processes", "", len(f.loads))
	r.add("connects_per_s", "connected, upgraded and joined", "1/s", n/dialled.Seconds())
	if w.known {
		r.add("cpu_us_per_join", "server CPU per join", "µs", float64((cpu1-cpu0).Nanoseconds())/1e3/n)
	}
	if len(f.servers) > 0 {
		c.addMemory(r, before, fresh, idle, after)
	}
	c.addEvents(r, w)
	return r, nil
}

// settled has the servers give their garbage back, and looks at the memory then. What an idle server holds settles by itself
// after minutes; this is the same, sooner.
func (f *fleet) settled() (held, error) {
	if _, err := f.askServers(command{Do: "settle"}); err != nil {
		return held{}, err
	}
	if err := f.wait(200 * time.Millisecond); err != nil {
		return held{}, err
	}
	return f.held()
}

// addMemory appends what a connection costs. With both ends here, the kernel's memory is that of two sockets; half of it is the
// server's.
func (c *capacityCmd) addMemory(r *result, before, fresh, idle, after held) {
	n := float64(c.Conns)
	per := func(a, b int64) float64 { return float64(b-a) / n }
	r.add("user_bytes_per_conn", "server memory (RSS) per idle connection", "B", per(before.servers.rss, idle.servers.rss))
	r.add("user_bytes_per_conn_anonymous", "  without pages of files", "B", per(before.servers.anonymous, idle.servers.anonymous))
	r.add("user_bytes_per_conn_dialled", "  right after dialling", "B", per(before.servers.rss, fresh.servers.rss))
	r.add("user_bytes_per_conn_held", "  at the end", "B", per(before.servers.rss, after.servers.rss))
	pair := per(before.kernel.slab+before.kernel.buffers, idle.kernel.slab+idle.kernel.buffers)
	r.add("kernel_bytes_per_conn", "kernel memory per connection, one end", "B", pair/2)
	r.add("kernel_bytes_per_pair", "  both ends", "B", pair)
	r.add("load_bytes_per_conn", "load generator's memory per connection", "B", per(before.loads.rss, idle.loads.rss))
	r.add("server_rss_mib", "servers in all", "MiB", float64(after.servers.rss)/(1<<20))
	r.add("load_rss_mib", "load processes in all", "MiB", float64(after.loads.rss)/(1<<20))
}

// hold lets everybody send for as long as it should last, and then waits for the answers.
func (c *capacityCmd) hold(f *fleet, b *bench) (*window, error) {
	p := b.phase(fmt.Sprintf("holding %d connections for %v", c.Conns, c.Hold), int(c.Hold/time.Millisecond))
	defer p.end()
	answered := func() error {
		if err := f.halt(); err != nil {
			return err
		}
		return f.awaitAnswers(c.Patience)
	}
	return f.measureBetween(f.play, answered, c.Hold, func(now time.Duration) { p.set(int(now / time.Millisecond)) })
}

// awaitAnswers waits until every event that was sent is answered, or for d.
func (f *fleet) awaitAnswers(d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); {
		out, err := each(f.loads, same(command{Do: "peek"}), nil)
		if err != nil {
			return f.why(err)
		}
		var open uint64
		for _, r := range out {
			open += r.Load.Sent - r.Load.Answers
		}
		if open == 0 {
			return nil
		}
		if err := f.wait(100 * time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (c *capacityCmd) addEvents(r *result, w *window) {
	r.add("events_expected", "events that were due", "", int(w.sum.Due))
	r.add("events_delivered", "events that came back", "", int(w.sum.Answers))
	r.add("event_p50_ms", "event there and back p50", "ms", w.latency.us(50)/1e3)
	r.add("event_p99_ms", "event there and back p99", "ms", w.latency.us(99)/1e3)
	r.add("event_max_ms", "event there and back max", "ms", w.latency.maxUs()/1e3)
	r.addServer(w)
	r.addLoad(w)
	r.charts = append(r.charts, percentileChart("An event there and back", w.latency.points()),
		rateChart("Events answered a second", w.samples), liveChart("Live connections", w.samples))
}
