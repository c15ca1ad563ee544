//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	gochart "github.com/wcharczuk/go-chart/v2"
)

// compareCmd is the workload compare: the servers take turns within each round, so that whatever else the machine does meanwhile
// meets all of them.
type compareCmd struct {
	Rounds    int           `name:"rounds" default:"3" help:"Rounds, of which the medians are shown."`
	Workloads []string      `name:"workloads" default:"rooms,rooms60,fanout,capacity,echo" help:"What to play, of ${compared}."`
	Servers   []string      `name:"servers" help:"Which servers, by name; default: all that can run here."`
	Rooms     int           `name:"rooms" default:"100" help:"Of rooms."`
	Size      int           `name:"size" default:"8" help:"Of rooms: clients in each room."`
	Hz        int           `name:"hz" default:"20" help:"Of rooms."`
	Clients   int           `name:"clients" default:"1000" help:"Of fanout."`
	Queue     int           `name:"queue" default:"8" help:"Of fanout: broadcasts that wait when a volley leaves."`
	Askers    int           `name:"askers" default:"64" help:"Clients of echo."`
	Conns     int           `name:"conns" default:"15000" help:"Of capacity."`
	Window    time.Duration `name:"window" default:"5s" help:"How long each measurement lasts."`
	Warmup    time.Duration `name:"warmup" default:"1s" help:"How long to play before it."`
}

// Run compares.
func (c *compareCmd) Run(ctx context.Context, b *bench) error {
	if b.Addr != "" {
		return errors.New("compare starts all servers itself; leave -addr out")
	}
	out, err := c.compare(ctx, b, slices.Concat([]plug{volleyPlug{}}, rivals()))
	if out == nil {
		return err
	}
	return errors.Join(b.publish(out), err)
}

// compare has the servers take turns. When it is interrupted it returns what there is so far, and why that is not all.
func (c *compareCmd) compare(ctx context.Context, b *bench, all []plug) (*result, error) {
	for _, w := range c.Workloads {
		if !slices.Contains(compared, w) {
			return nil, fmt.Errorf("there is no workload %q to compare; there are %s", w, strings.Join(compared, ", "))
		}
	}
	out := newResult("compare", "Volley and rivals")
	out.add("rounds", "", "", c.Rounds)
	servers, err := c.servers(ctx, b, all, out)
	if err != nil {
		return nil, err
	}
	runs := played{}
	cut := c.allRounds(ctx, b, runs, servers)
	for _, workload := range c.Workloads {
		c.sum(out, workload, runs, servers)
	}
	switch {
	case len(out.rows) == 0 && cut != nil:
		return nil, cut
	case len(out.rows) == 0:
		return nil, fmt.Errorf("nothing could be played: %s", strings.Join(out.notes, "; "))
	case cut != nil:
		out.notes = append(out.notes, "it was interrupted: medians of the rounds that were played")
	default:
		out.notes = append(out.notes, fmt.Sprintf("medians of %d interleaved rounds", c.Rounds))
	}
	return out, cut
}

// allRounds plays until the rounds, or ctx, are over.
func (c *compareCmd) allRounds(ctx context.Context, b *bench, runs played, servers []plug) error {
	for round := range c.Rounds {
		for _, workload := range c.Workloads {
			for _, p := range servers {
				b.say("round %d of %d: %s, %s", round+1, c.Rounds, workload, p.name())
				if err := c.turn(ctx, b, runs.of(workload, p)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// servers are those of all that are to take turns. One that cannot run here is left out with a note, unless it was asked for.
func (c *compareCmd) servers(ctx context.Context, b *bench, all []plug, out *result) (list []plug, err error) {
	for _, name := range c.Servers {
		if !slices.ContainsFunc(all, func(p plug) bool { return strings.EqualFold(p.name(), name) }) {
			var names []string
			for _, p := range all {
				names = append(names, p.name())
			}
			return nil, fmt.Errorf("no server is called %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	for _, p := range all {
		asked := slices.ContainsFunc(c.Servers, func(name string) bool { return strings.EqualFold(p.name(), name) })
		if len(c.Servers) > 0 && !asked {
			continue
		}
		err := b.ready(ctx, p)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err == nil:
			list = append(list, p)
		case asked:
			return nil, fmt.Errorf("%s: %w", p.name(), err)
		default:
			out.notes = append(out.notes, fmt.Sprintf("%s is left out: %v", p.name(), err))
			b.say("%s", out.notes[len(out.notes)-1])
		}
	}
	return list, nil
}

// ready has a server built or installed, if that has to be, and finds out whether it can be launched.
func (b *bench) ready(ctx context.Context, p plug) error {
	if r, ok := p.(preparer); ok {
		if err := r.prepare(ctx, b.say); err != nil {
			return err
		}
	}
	_, err := p.launch()
	return err
}

// turns are what one server did in one workload.
type turns struct {
	workload string
	plug     plug
	runs     []*result
	failed   error // twice in a row; there are no more turns
}

// played are the turns by workload and server.
type played map[string]*turns

func (m played) of(workload string, p plug) *turns {
	key := workload + "\n" + p.name()
	if m[key] == nil {
		m[key] = &turns{workload: workload, plug: p}
	}
	return m[key]
}

// turn plays once, and once more if that failed. A failure is the server's own; only the end of the bench ends all.
func (c *compareCmd) turn(ctx context.Context, b *bench, t *turns) error {
	if t.failed != nil {
		return nil
	}
	for range 2 {
		r, err := c.play(ctx, b, t.workload, t.plug)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		t.failed = err
		if err == nil {
			t.runs = append(t.runs, r)
			break
		}
		b.say("%s, %s: %v", t.plug.name(), t.workload, err)
	}
	return nil
}

// sum appends a workload's rows.
func (c *compareCmd) sum(out *result, workload string, runs played, servers []plug) {
	var rows []*result
	for _, s := range servers {
		p := runs.of(workload, s)
		if p.failed != nil {
			out.notes = append(out.notes, fmt.Sprintf("%s, %s: failed twice: %v", s.name(), workload, p.failed))
		}
		if len(p.runs) > 0 {
			rows = append(rows, median(p.runs))
		}
	}
	if len(rows) == 0 {
		return
	}
	addRatios(rows)
	out.rows = append(out.rows, rows...)
	out.charts = append(out.charts, compareChart(workload, rows))
}

// compared are the workloads that there are. rooms60 is half as many rooms at 60 Hz; findmax is rooms -find-max, and takes
// minutes for each server.
var compared = []string{"rooms", "rooms60", "fanout", "capacity", "echo", "findmax"}

// play runs one workload on one server.
func (c *compareCmd) play(ctx context.Context, b *bench, workload string, p plug) (*result, error) {
	tcp := overTCP(p)
	rooms := roomsCmd{
		Rooms: c.Rooms, Clients: c.Size, Hz: c.Hz, Window: c.Window, Warmup: c.Warmup, AsTCP: tcp,
		Late: 5 * time.Millisecond, Share: 0.98,
	}
	switch workload {
	case "rooms60": // as many frames a second and more, in half the rooms
		rooms.Rooms, rooms.Hz = max(c.Rooms/2, 1), 60
		r, err := rooms.measure(ctx, b, p)
		return renamed(r, workload), err
	case "findmax":
		r, err := rooms.findMax(ctx, b, p)
		return renamed(r, workload), err
	case "fanout":
		w := fanoutCmd{Clients: c.Clients, Queue: c.Queue, Ahead: 32, Window: c.Window, Warmup: c.Warmup, AsTCP: tcp}
		return w.measure(ctx, b, p)
	case "capacity":
		w := capacityCmd{
			Conns: c.Conns, Hold: c.Window, Interval: c.Window, Ping: time.Minute, Patience: 30 * time.Second, AsTCP: tcp,
		}
		return w.measure(ctx, b, p)
	case "echo":
		w := echoCmd{Clients: c.Askers, Window: c.Window, Warmup: c.Warmup, AsTCP: tcp}
		return w.measure(ctx, b, p)
	}
	return rooms.measure(ctx, b, p)
}

func renamed(r *result, workload string) *result {
	if r != nil {
		r.workload, r.rows = workload, nil
	}
	return r
}

// median is a result whose numbers are the medians of those of several.
func median(runs []*result) *result {
	out := newResult(runs[0].workload, runs[0].server)
	for _, f := range runs[0].figures {
		var all []float64
		for _, r := range runs {
			if v, ok := r.number(f.key); ok {
				all = append(all, v)
			}
		}
		if len(all) == 0 {
			continue
		}
		slices.Sort(all)
		out.add(f.key, "", "", middle(all))
		out.add(f.key+"_spread", "", "", []float64{all[0], all[len(all)-1]})
	}
	for i := range out.figures { // people see what the servers are compared by, and how much it varied
		f := &out.figures[i]
		if k, ok := headline[f.key]; ok {
			f.label, f.unit = k.label, k.unit
		}
	}
	return out
}

// middle is the median of sorted numbers.
func middle(all []float64) float64 {
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2
}

// headline are the figures that the tables of compare show.
var headline = map[string]struct{ label, unit string }{
	"cpu_us_per_frame":      {"CPU per frame", "µs"},
	"cpu_us_per_message":    {"CPU per message", "µs"},
	"cpu_us_per_round_trip": {"CPU per round trip", "µs"},
	"cpu_us_per_join":       {"CPU per join", "µs"},
	"delivered_share":       {"delivered", ""},
	"max_clients":           {"most clients", ""},
	"frames_per_s":          {"frames", "1/s"},
	"messages_per_s":        {"messages", "1/s"},
	"round_trips_per_s":     {"round trips", "1/s"},
	"lateness_p99_us":       {"lateness p99", "µs"},
	"e2e_p99_us":            {"input to state p99", "µs"},
	"rtt_p50_us":            {"round trip p50", "µs"},
	"rtt_p99_us":            {"round trip p99", "µs"},
	"user_bytes_per_conn":   {"memory per connection", "B"},
	"kernel_bytes_per_conn": {"kernel", "B"},
	"connects_per_s":        {"connects", "1/s"},
	"event_p99_ms":          {"event p99", "ms"},
}

// costs are the figures whose ratio to the first server's is shown, one of each workload, or two.
var costs = []string{"cpu_us_per_frame", "cpu_us_per_message", "cpu_us_per_round_trip", "user_bytes_per_conn", "cpu_us_per_join"}

// addRatios appends how many times the cost of the first server each has. What costs at sizes that differ says nothing.
func addRatios(rows []*result) {
	if rows[0].workload == "findmax" {
		return
	}
	for _, key := range costs {
		base, ok := rows[0].number(key)
		if !ok || base == 0 {
			continue
		}
		for _, r := range rows {
			if v, ok := r.number(key); ok {
				r.add(key+"_ratio", headline[key].label+" ×", "", v/base)
			}
		}
	}
}

// compareChart draws what a workload costs on each server.
func compareChart(workload string, rows []*result) chart {
	c := chart{}
	for _, key := range slices.Concat([]string{"max_clients"}, costs) {
		for _, r := range rows {
			if v, ok := r.number(key); ok {
				c.bars = append(c.bars, gochart.Value{Label: r.server, Value: v})
			}
		}
		if c.bars != nil {
			c.title, c.yName = workload+": "+headline[key].label, headline[key].unit
			break
		}
	}
	return c
}
