package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStreams(t *testing.T) {
	for _, c := range []struct {
		what string
		sent int
		came []int
		want tally
	}{
		{"nothing", 0, nil, tally{}},
		{"everything in order", 3, []int{1, 2, 3}, tally{sent: 3, received: 3}},
		{"nothing came", 2, nil, tally{sent: 2, lost: 2}},
		{"the first is lost", 2, []int{2}, tally{sent: 2, received: 1, lost: 1}},
		{"the last is lost", 2, []int{1}, tally{sent: 2, received: 1, lost: 1}},
		{"two in the middle are lost", 5, []int{1, 4, 5}, tally{sent: 5, received: 3, lost: 2}},
		{"one comes again at once", 2, []int{1, 1, 2}, tally{sent: 2, received: 2, duplicated: 1}},
		{"all come again", 2, []int{1, 2, 1, 2}, tally{sent: 2, received: 2, duplicated: 2}},
		{"two are swapped", 3, []int{2, 1, 3}, tally{sent: 3, received: 3, reordered: 1}},
		{"one comes last", 4, []int{2, 3, 4, 1}, tally{sent: 4, received: 4, reordered: 1}},
		{"late, and again", 3, []int{3, 1, 1, 2}, tally{sent: 3, received: 3, duplicated: 1, reordered: 2}},
		{"one that nobody sent", 1, []int{1, 2}, tally{sent: 1, received: 2}},
		{"zero, which is no number", 1, []int{0, 1}, tally{sent: 1, received: 1, duplicated: 1}},
	} {
		var s stream
		due := 0
		for _, n := range c.came {
			if s.take(n) {
				due++
			}
		}
		var got tally
		got.add(&s, c.sent)
		require.Equal(t, c.want, got, c.what)
		whole := got == tally{sent: c.sent, received: c.sent}
		require.Equal(t, whole, got.exact(c.sent), c.what)
		require.Equal(t, whole, due == c.sent && len(c.came) == c.sent, c.what)
	}
}

func TestTheLastLine(t *testing.T) {
	require.Equal(t, "chaos: sent 1000000, received 999999, lost 1, duplicated 2, reordered 3, cuts 4",
		tally{1_000_000, 999_999, 1, 2, 3}.line(4))
	require.False(t, tally{10, 10, 0, 0, 0}.exact(20), "less was sent than was to be")
}

func TestSharesAddUp(t *testing.T) {
	for _, c := range []config{defaults(), {clients: 6, rooms: 3, events: 901}, {clients: 7, rooms: 1, events: 40_000}} {
		all, err := c.shares()
		require.NoError(t, err)
		up, down, size := 0, 0, c.clients/c.rooms
		for _, e := range all {
			up += e.says + e.calls + e.asks
			down += e.tells + e.calls + e.asks + e.shout*size
			require.Positive(t, min(e.says, e.calls, e.asks, e.tells, e.shout))
			require.LessOrEqual(t, e.shout, e.says)
		}
		require.Equal(t, c.events, up+down)
		require.InDelta(t, up, down, float64(c.events)/100)
	}
	for _, c := range []config{{clients: 10, rooms: 3, events: 10_000}, {clients: 10, rooms: 1, events: 100}, {clients: 1, rooms: 2}} {
		_, err := c.shares()
		require.Error(t, err, c)
	}
}
