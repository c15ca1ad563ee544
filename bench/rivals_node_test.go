//go:build linux

package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

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
