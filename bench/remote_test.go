//go:build linux

package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// elsewhere runs a server as `bench serve` does, and returns its address.
func elsewhere(t *testing.T, spec serverSpec) string {
	s, err := newServer(spec)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	return s.addr()
}

func TestRemoteServer(t *testing.T) {
	addr := elsewhere(t, serverSpec{Addr: "127.0.0.1:0", Transport: "ws", Workload: "serve", Rate: 20, Clients: 4})
	n := numbers(t, fine(t, more("delivered_share", 0.5), "rooms", "-addr", addr, "-rooms", "3", "-clients", "4", "-window", "500ms", "-warmup", "200ms"),
		"delivered_share", "cpu_us_per_frame", "lateness_p99_us", "e2e_p99_us")
	require.Positive(t, n["e2e_p99_us"])
	n = numbers(t, fine(t, more("frames_per_s", 0), "fanout", "-addr", addr, "-clients", "5", "-window", "300ms", "-warmup", "100ms"), "frames_per_s")
	require.Positive(t, n["frames_per_s"])
}

func TestRemoteServerWithoutControl(t *testing.T) {
	addr := elsewhere(t, serverSpec{Addr: "127.0.0.1:0", Transport: "tcp", Workload: "serve", Rate: 20, Clients: 4})
	o := fine(t, more("round_trips_per_s", 0), "echo", "-tcp", "-addr", addr, "-clients", "3", "-window", "300ms", "-warmup", "100ms")
	require.Positive(t, numbers(t, o, "round_trips_per_s")["round_trips_per_s"])
	require.NotContains(t, o, "cpu_us_per_round_trip")
}
