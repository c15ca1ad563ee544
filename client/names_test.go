package client

import (
	"fmt"
	"testing"

	"github.com/volley-go/volley/codec"
)

// TestNames: tables below and above the length that gets a map.
func TestNames(t *testing.T) {
	for _, n := range []int{1, mapNames, mapNames + 1, 500} {
		table := new(names)
		for i := range n {
			grown, err := table.with(i, []string{fmt.Sprint("e", i)})
			check(t, err)
			table = grown
		}
		again, err := table.with(0, table.list)
		check(t, err)
		equal(t, "names", len(again.list), n)
		for i := range n {
			equal(t, "index", table.ref(fmt.Sprint("e", i)), i)
		}
		equal(t, "unknown", table.ref("nobody"), codec.NoIndex)
	}
}
