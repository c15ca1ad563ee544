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
	Workloads []string      `name:"workloads" default:"rooms,fanout,capacity,echo" help:"What to play."`
	Servers   []string      `name:"servers" help:"Which servers, by name; default: all that can run here."`
	Rooms     int           `name:"rooms" default:"100" help:"Of rooms."`
	Size      int           `name:"size" default:"8" help:"Of rooms: clients in each room."`
	Hz        int           `name:"hz" default:"20" help:"Of rooms."`
	Clients   int           `name:"clients" default:"1000" help:"Of fanout."`
	Askers    int           `name:"askers" default:"64" help:"Clients of echo."`
	Conns     int           `name:"conns" default:"15000" help:"Of capacity."`
	Window    time.Duration `name:"window" default:"5s" help:"How long each measurement lasts."`
	Warmup    time.Duration `name:"warmup" default:"1s" help:"How long to play before it."`
}

// rivals are the servers besides Volley that this program can start.
func rivals() []plug { return nil }

// Run compares.
func (c *compareCmd) Run(ctx context.Context, b *bench) error {
	if b.Addr != "" {
		return errors.New("compare starts all servers itself; leave -addr out")
	}
	servers := slices.Concat([]plug{volleyPlug{}}, rivals())
	if len(c.Servers) > 0 {
		servers = slices.DeleteFunc(servers, func(p plug) bool { return !slices.Contains(c.Servers, p.name()) })
	}
	if len(servers) == 0 {
		return fmt.Errorf("none of the servers is called %s", strings.Join(c.Servers, " or "))
	}
	runs := map[string][]*result{} // by workload and server
	for round := range c.Rounds {
		for _, workload := range c.Workloads {
			for _, p := range servers {
				b.say("round %d of %d: %s, %s", round+1, c.Rounds, workload, p.name())
				r, err := c.play(ctx, b, workload, p)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", p.name(), workload, err)
				}
				key := workload + "\n" + p.name()
				runs[key] = append(runs[key], r)
			}
		}
	}
	out := newResult("compare", "Volley and rivals")
	out.add("rounds", "", "", c.Rounds)
	for _, workload := range c.Workloads {
		var rows []*result
		for _, p := range servers {
			rows = append(rows, median(runs[workload+"\n"+p.name()]))
		}
		addRatios(rows)
		out.rows = append(out.rows, rows...)
		out.charts = append(out.charts, compareChart(workload, rows))
	}
	out.notes = append(out.notes, fmt.Sprintf("medians of %d interleaved rounds", c.Rounds))
	return b.publish(out)
}

// play runs one workload on one server.
func (c *compareCmd) play(ctx context.Context, b *bench, workload string, p plug) (*result, error) {
	switch workload {
	case "rooms":
		w := roomsCmd{Rooms: c.Rooms, Clients: c.Size, Hz: c.Hz, Window: c.Window, Warmup: c.Warmup}
		return w.measure(ctx, b, p)
	case "fanout":
		w := fanoutCmd{Clients: c.Clients, Queue: 8, Ahead: 32, Window: c.Window, Warmup: c.Warmup}
		return w.measure(ctx, b, p)
	case "capacity":
		w := capacityCmd{
			Conns: c.Conns, Hold: c.Window, Interval: c.Window, Ping: time.Minute, Patience: 30 * time.Second,
		}
		return w.measure(ctx, b, p)
	case "echo":
		w := echoCmd{Clients: c.Askers, Window: c.Window, Warmup: c.Warmup}
		return w.measure(ctx, b, p)
	}
	return nil, fmt.Errorf("there is no workload %q to compare; there are rooms, fanout, capacity and echo", workload)
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

// addRatios appends how many times the cost of the first server each has.
func addRatios(rows []*result) {
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
	for _, key := range costs {
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
