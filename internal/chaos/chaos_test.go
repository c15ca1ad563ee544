package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func short() config {
	cfg := defaults()
	cfg.clients, cfg.rooms, cfg.events, cfg.life = 24, 4, 12_000, 300*time.Millisecond
	cfg.pace, cfg.timeout = 100, 2*time.Minute
	return cfg
}

// TestCutsLoseNothing is make chaos in small.
func TestCutsLoseNothing(t *testing.T) {
	cfg := short()
	o := chaos(t.Context(), cfg, newProgress("events", cfg.events))
	var out, errs strings.Builder
	ok := o.print(&cfg, &out, &errs)
	t.Logf("%s", out.String())
	require.Empty(t, errs.String())
	require.True(t, ok)
	require.Equal(t, cfg.events, o.received)
	require.Greater(t, o.cuts, 2*cfg.clients, "the network was too good to show anything")
	require.Greater(t, o.resume, cfg.clients)
	for how, n := range o.by[1:] {
		require.Positive(t, n, how+1)
	}
}

// TestLossesAreSeen: a server that keeps no seats loses packets under the same cuts, and a run says so.
func TestLossesAreSeen(t *testing.T) {
	cfg := short()
	cfg.grace, cfg.patience = -1, 2*time.Second
	o := chaos(t.Context(), cfg, newProgress("events", cfg.events))
	var out, errs strings.Builder
	require.False(t, o.print(&cfg, &out, &errs))
	require.Positive(t, o.lost)
	require.Contains(t, errs.String(), "lost its seat")
	require.Contains(t, out.String(), "lost ")
}

func TestARunEndsInTime(t *testing.T) {
	cfg := short()
	cfg.timeout, cfg.pace = 300*time.Millisecond, 1
	began := time.Now()
	o := chaos(t.Context(), cfg, newProgress("events", cfg.events))
	require.ErrorContains(t, o.wrong, "-timeout")
	require.Less(t, time.Since(began), 20*time.Second)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cfg.timeout = time.Minute
	o = chaos(ctx, cfg, newProgress("events", cfg.events))
	require.ErrorIs(t, o.wrong, context.Canceled)
}

func TestCommand(t *testing.T) {
	for args, want := range map[string]int{
		"-clients 4 -rooms 2 -events 2000 -pace 500": 0,
		"-clients 5 -rooms 2":                        1,
		"-wrong":                                     2,
		"-help":                                      0,
	} {
		var out, errs strings.Builder
		require.Equal(t, want, command(strings.Fields(args), &out, &errs), args+errs.String())
		if want == 0 && args != "-help" {
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			require.Regexp(t, `^chaos: sent 2000, received 2000, lost 0, duplicated 0, reordered 0, cuts \d+$`, lines[len(lines)-1])
		}
	}
}
