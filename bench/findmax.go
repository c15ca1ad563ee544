//go:build linux

package main

import (
	"context"
	"fmt"
)

// findMax looks for the most rooms that the server carries: it raises them by half as long as all is well, and then halves
// the distance between the last that were and the first that were not, until that is within 3 %. Every size is played by
// new processes, and one that fails is given a second chance: other work on the machine looks the same as a limit.
func (c *roomsCmd) findMax(ctx context.Context, b *bench, p plug) (*result, error) {
	var best *result
	var rows []*result
	good, bad := 0, 0
	for n := c.Rooms; n != good && n != bad; {
		size := *c
		size.Rooms = n
		r, fine, err := size.holds(ctx, b, p)
		if err != nil {
			return nil, err
		}
		r.label = fmt.Sprintf("%d rooms", n)
		rows = append(rows, r)
		if fine {
			good, best = n, r
		} else {
			bad = n
		}
		switch {
		case bad == 0:
			n = max(n+1, n*3/2)
		case bad-good > max(1, good*3/100):
			n = (good + bad) / 2
		default:
			n = good
		}
	}
	if best == nil {
		last := rows[len(rows)-1]
		best = newResult("rooms", last.server)
		best.notes = append(best.notes, "not even one room was carried within the limits")
	}
	out := *best
	out.figures = append([]figure{
		{"max_rooms", "most rooms", "", good},
		{"max_clients", "most clients", "", good * c.Clients},
	}, best.figures...)
	out.rows = rows
	out.charts = append(findMaxCharts(rows, c), best.charts...)
	return &out, nil
}

// holds plays one size, twice if it has to, and says whether the limits were kept.
func (c *roomsCmd) holds(ctx context.Context, b *bench, p plug) (r *result, fine bool, err error) {
	for range 2 {
		r, err = c.measure(ctx, b, p)
		if err != nil {
			return nil, false, err
		}
		share, _ := r.number("delivered_share")
		late, _ := r.number("lateness_p99_us")
		fine = share >= c.Share && late <= float64(c.Late.Microseconds())
		b.say("%d rooms, %d clients: %.1f %% delivered, p99 lateness %.2f ms%s", c.Rooms, c.Rooms*c.Clients, share*100, late/1e3,
			map[bool]string{false: fmt.Sprintf("; the limits are %.0f %% and %v", c.Share*100, c.Late)}[fine])
		if fine {
			break
		}
	}
	return r, fine, nil
}
