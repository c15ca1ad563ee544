package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestNothingIsLeftBehind is make soak in small.
func TestNothingIsLeftBehind(t *testing.T) {
	cfg := defaults()
	cfg.clients = 30
	var out, errs strings.Builder
	ok := soakFor(t.Context(), cfg, 5*time.Second, &out, &errs)
	t.Log(out.String())
	require.Empty(t, errs.String())
	require.True(t, ok)
	require.Regexp(t, `(?m)^start: .*\nend: .*\n`, out.String())
}

func TestGrowthIsSeen(t *testing.T) {
	start := resources{goroutines: 10, heap: 1 << 20, files: 10}
	for _, c := range []struct {
		what string
		end  resources
		want string
	}{
		{"as before", start, ""},
		{"less", resources{}, ""},
		{"goroutines", resources{15, 1 << 20, 10}, "goroutines have grown from 10 to 15"},
		{"heap", resources{10, 2 << 20, 10}, "bytes of heap have grown"},
		{"files", resources{10, 1 << 20, 13}, "file descriptors have grown"},
	} {
		err := c.end.grown(start)
		if c.want == "" {
			require.NoError(t, err, c.what)
		} else {
			require.ErrorContains(t, err, c.want)
		}
	}
	held := make([]byte, 4<<20)
	before := resourcesNow()
	require.Greater(t, before.heap, len(held))
	require.Positive(t, before.files)
	clear(held)
	stop := make(chan struct{})
	for range 10 {
		go func() { <-stop }()
	}
	require.ErrorContains(t, resourcesNow().grown(before), "goroutines")
	close(stop)
}
