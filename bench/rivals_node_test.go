//go:build linux

package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every server on Node through every workload.
func TestNodeRivals(t *testing.T) {
	for _, p := range nodeRivals() {
		t.Run(p.name(), func(t *testing.T) {
			require.NoError(t, p.(*nodeRival).prepare(t.Context(), t.Logf))
			o := fine(t, played, "compare", "-servers", p.name(), "-rounds", "1", "-rooms", "3", "-size", "4",
				"-clients", "10", "-askers", "4", "-conns", "30", "-window", "500ms", "-warmup", "200ms")
			for _, row := range o["rows"].([]any) {
				r := row.(map[string]any)
				require.Equal(t, p.name(), r["server"])
				switch r["workload"] {
				case "rooms":
					require.Positive(t, numbers(t, r, "lateness_p99_us", "e2e_p99_us", "cpu_us_per_frame")["e2e_p99_us"])
				case "fanout":
					n := numbers(t, r, "frames_per_s", "messages_per_s")
					require.Greater(t, n["messages_per_s"], n["frames_per_s"]/100)
				case "capacity":
					n := numbers(t, r, "connections", "events_expected", "events_delivered", "cpu_us_per_join")
					require.Equal(t, 30.0, n["connections"])
					require.Equal(t, n["events_expected"], n["events_delivered"])
				case "echo":
					require.Positive(t, numbers(t, r, "round_trips_per_s", "cpu_us_per_round_trip")["round_trips_per_s"])
				}
			}
		})
	}
}

// played says that all workloads were, and rooms nearly in full.
func played(o map[string]any) bool {
	rows, _ := o["rows"].([]any)
	if len(rows) != 4 {
		return false
	}
	rooms := rows[0].(map[string]any)
	share, _ := rooms["delivered_share"].(float64)
	return share > 0.8
}

func TestNodeRivalThatDoesNotLoad(t *testing.T) {
	p := &nodeRival{called: "nobody", key: "nobody", speaks: dialectBare}
	_, err := p.launch()
	require.ErrorContains(t, err, "nobody has not been installed")
	err = p.prepare(t.Context(), t.Logf)
	require.ErrorContains(t, err, "do not load here: TypeError")
	require.NotContains(t, err.Error(), "\n", "a reason is one line")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	require.Error(t, p.prepare(ctx, t.Logf))
}
