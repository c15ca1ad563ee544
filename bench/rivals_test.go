//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every rival, and Volley with clients of Socket.IO, plays every workload, for a moment each, so that the benchmark cannot rot.
// What it needs has to be there: the error says what to install.
func TestRivals(t *testing.T) {
	if testing.Short() {
		t.Skip("a short run plays no rivals: they are programs of their own")
	}
	for _, p := range slices.Concat(sioPlugs(), rivals()) {
		t.Run(p.name(), func(t *testing.T) {
			require.NoError(t, quiet().ready(t.Context(), p))
			carried := func(o map[string]any) bool {
				for _, row := range rowsOf(o) {
					if share, ok := row["delivered_share"].(float64); ok && share < 0.8 {
						return false
					}
				}
				return len(rowsOf(o)) == 5
			}
			o := fine(t, carried, "compare", "-servers", p.name(), "-rounds", "1", "-rooms", "3", "-size", "4", "-clients", "10",
				"-askers", "4", "-conns", "30", "-window", "300ms", "-warmup", "100ms")
			rows := rowsOf(o)
			for i, keys := range [][]string{
				{"delivered_share", "cpu_us_per_frame", "lateness_p99_us", "e2e_p99_us"},
				{"delivered_share", "cpu_us_per_frame", "lateness_p99_us", "e2e_p99_us"},
				{"cpu_us_per_frame", "cpu_us_per_message"},
				{"cpu_us_per_join", "events_delivered"},
				{"round_trips_per_s", "rtt_p99_us"},
			} {
				require.Equal(t, p.name(), rows[i]["server"])
				for k, v := range numbers(t, rows[i], keys...) {
					require.Positive(t, v, k)
				}
			}
			require.Equal(t, rows[3]["events_expected"], rows[3]["events_delivered"])
		})
	}
}

func rowsOf(o map[string]any) (rows []map[string]any) {
	list, _ := o["rows"].([]any)
	for _, r := range list {
		rows = append(rows, r.(map[string]any))
	}
	return rows
}

// A rival may not speak what the workload asks for; then it says so.
func TestRivalThatSpeaksSomethingElse(t *testing.T) {
	p := compiledRivals()[0].(*compiled)
	require.NoError(t, p.prepare(t.Context(), t.Logf))
	p.tcp = true
	_, err := quick("echo").compare(t.Context(), quiet(), []plug{p})
	require.ErrorContains(t, err, "plain WebSockets")
}

// noRival cannot be launched, or ends at once.
type noRival struct {
	called string
	err    error
}

func (n noRival) name() string  { return n.called }
func (noRival) dialect() string { return dialectBare }
func (n noRival) launch() (launch, error) {
	return launch{name: n.called, argv: []string{"false"}}, n.err
}

func quick(workloads ...string) *compareCmd {
	return &compareCmd{Rounds: 2, Workloads: workloads, Rooms: 2, Size: 2, Hz: 20, Queue: 8, Askers: 2, Window: 200 * time.Millisecond}
}

func quiet() *bench {
	return &bench{Quiet: true, AtOnce: 8, Procs: 2, Pollers: 1, Workers: 1, streams: streams{&bytes.Buffer{}, os.Stderr}}
}

func TestCompareGoesOnWithoutThoseThatFail(t *testing.T) {
	all := []plug{noRival{called: "absent", err: errors.New("there is no compiler")}, volleyPlug{}, noRival{called: "dead"}}
	out, err := quick("echo").compare(t.Context(), quiet(), all)
	require.NoError(t, err)
	require.Len(t, out.rows, 1)
	require.Equal(t, "Volley", out.rows[0].server)
	said := strings.Join(out.notes, "\n")
	require.Contains(t, said, "absent is left out: there is no compiler")
	require.Contains(t, said, "dead, echo: failed twice: dead has ended")
}

func TestCompareWithWhatIsAskedFor(t *testing.T) {
	all := []plug{volleyPlug{}, noRival{called: "absent", err: errors.New("there is no compiler")}}
	for _, tt := range []struct{ servers, workload, want string }{
		{"absent", "echo", "absent: there is no compiler"},
		{"Wolley", "echo", `no server is called "Wolley"; there are Volley, absent`},
		{"volley", "eco", `no workload "eco"`},
	} {
		c := quick(tt.workload)
		c.Servers = []string{tt.servers}
		_, err := c.compare(context.Background(), quiet(), all)
		require.ErrorContains(t, err, tt.want)
	}
}

func TestCompareEndsWithTheBench(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errInterrupted)
	_, err := quick("echo").compare(ctx, quiet(), []plug{volleyPlug{}})
	require.ErrorIs(t, err, errInterrupted)
}
