package boundary

import (
	"slices"
	"strings"
	"testing"
)

// small is a graph in which app reaches net by way of util, and nothing else that is forbidden anywhere.
func small() graph {
	g := graph{}
	for from, to := range map[string]string{"app": "util fmt", "util": "deep fmt", "deep": "net/http", "net/http": "net", "net": "", "fmt": ""} {
		g[from] = &pkg{ImportPath: from, Imports: strings.Fields(to)}
	}
	g["app"].TestImports = []string{"testing"}
	return g
}

func TestWayIsTheShortestAndLeavesTestsOut(t *testing.T) {
	for _, tt := range []struct{ from, to, want string }{
		{"app", "net", "app util deep net/http net"},
		{"app", "net/...", "app util deep net/http"},
		{"app", "fmt", "app fmt"},
		{"app", "testing", ""},
		{"fmt", "net/...", ""},
		{"net", "net", ""}, // not itself
		{"nowhere", "net", ""},
	} {
		way := small().way(tt.from, func(p *pkg) bool { return within(tt.to, p.ImportPath) })
		if got := strings.Join(way, " "); got != tt.want {
			t.Errorf("from %s to %s: %q, want %q", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestReached(t *testing.T) {
	var got []string
	for _, p := range small().reached("util", "deep") {
		got = append(got, p.ImportPath)
	}
	slices.Sort(got)
	if want := "fmt net net/http"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

func TestWithin(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		want       bool
	}{
		{"net", "net", true},
		{"net", "net/http", false},
		{"net/...", "net", true},
		{"net/...", "net/http", true},
		{"net/...", "netip", false},
		{full(""), "github.com/volley-go/volley", true},
		{full(""), "github.com/volley-go/volley/room", false},
		{full("room") + "/...", "github.com/volley-go/volley/room/roomtest", true},
	} {
		if got := within(tt.name, tt.path); got != tt.want {
			t.Errorf("within(%q, %q) = %v", tt.name, tt.path, got)
		}
	}
}
