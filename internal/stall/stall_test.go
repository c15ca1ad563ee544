//go:build linux

package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(serverEnv) != "" {
		main()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// TestAStallCostsLittle is make stall in small. How long healthy clients wait is for a machine that has nothing else to do.
func TestAStallCostsLittle(t *testing.T) {
	cfg := config{clients: 100, stalled: 20, room: 20, stall: 4 * time.Second, rounds: 1, timeout: time.Minute}
	res, err := measure(t.Context(), cfg, t.Logf)
	require.NoError(t, err)
	var out strings.Builder
	res.print(&out)
	t.Log(out.String())
	require.LessOrEqual(t, res.heap, int64(maxBytes))
	require.Equal(t, 1, res.frames)
	require.Greater(t, res.notes, 10, "there was something to catch up with")
	require.Positive(t, res.calm)
	require.Regexp(t, `(?m)^stall: bytes per stalled client \d+, healthy p99 ratio \d+\.\d\d, frames to catch up 1$`, out.String())
}

func TestAWindowWithoutAStallIsSeen(t *testing.T) {
	cfg := config{clients: 10, stalled: 2, room: 5, stall: 300 * time.Millisecond, rounds: 1, timeout: time.Minute}
	_, err := measure(t.Context(), cfg, t.Logf)
	require.ErrorContains(t, err, "was not stalled")
}

func TestFramesToCatchUp(t *testing.T) {
	for _, c := range []struct {
		what                    string
		notes                   []int
		kernel, frames, largest int
	}{
		{"all of it in the kernel", []int{1, 1, 1}, 3, 0, 0},
		{"one frame", []int{1, 1, 48}, 2, 1, 48},
		{"at once", []int{50}, 0, 1, 50},
		{"several", []int{1, 20, 1, 28}, 1, 3, 28},
	} {
		w := &waking{}
		for _, n := range c.notes {
			w.frame(n)
		}
		require.Equal(t, []int{c.kernel, c.frames, c.largest}, []int{w.kernel, w.frames, w.largest}, c.what)
	}
}

func TestWhatIsGood(t *testing.T) {
	good := result{bytes: maxBytes, frames: 1, ratio: 1.1}
	for _, c := range []struct {
		what   string
		change func(r *result)
		want   bool
	}{
		{"within all bounds", func(*result) {}, true},
		{"a byte too much", func(r *result) { r.bytes++ }, false},
		{"two frames", func(r *result) { r.frames = 2 }, false},
		{"no frame", func(r *result) { r.frames = 0 }, false},
		{"late for others", func(r *result) { r.ratio = 1.3 }, false},
		{"all in the kernel", func(r *result) { r.kernel = maxKernel + 1 }, false},
	} {
		r := good
		c.change(&r)
		require.Equal(t, c.want, r.good(1.25), c.what)
	}
}

func TestCommand(t *testing.T) {
	for args, want := range map[string]int{
		"-clients 7 -room 5": 1, "-stalled 0": 1, "-rounds 0": 1, "-wrong": 2, "-help": 0, "-timeout 1ms": 1,
	} {
		var out, errs strings.Builder
		require.Equal(t, want, command(strings.Fields(args), &out, &errs), args+": "+errs.String())
	}
	require.Equal(t, int64(2), median([]int64{3, 1, 2}))
	require.Equal(t, int64(3), median([]int64{1, 5}))
}
