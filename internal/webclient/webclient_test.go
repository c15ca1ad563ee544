// Package webclient tests the TypeScript client, as it is shipped in web/dist, against a real server, over connections that
// are cut.
package webclient

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// report is what the game knows of one client. All numbers that a client sends, and all that it is told, are one row from 0 each.
type report struct {
	Heard    int // numbers that came from it, in order
	Wrong    int // and those that did not come in order
	Said     int // numbers that it was told
	Asked    int // of these by a request
	Answered int // and rightly answered
	Failed   int // requests that it did not answer
	Dropped  int // times that its connection was lost
	Resumed  int // and came back
	Resynced int
}

const (
	number room.Event[int]         = "n"    // both ways
	snap   room.Event[int]         = "snap" // which number comes next
	filler room.Event[string]      = "filler"
	hush   room.Event[bool]        = "hush" // say nothing more
	leave  room.Event[bool]        = "over" // to be kicked
	double room.Call[int, int]     = "r"
	plus   room.Call[int, int]     = "q" // to clients
	tell   room.Call[bool, report] = "report"
)

type game struct {
	room    *room.Room
	seats   map[*room.Client]*report
	quiet   bool
	chatter string // with every tick, so that logs fill
}

func (g *game) Join(c *room.Client) error {
	g.seats[c] = &report{}
	return nil
}

func (g *game) Leave(c *room.Client)   { delete(g.seats, c) }
func (g *game) Dropped(c *room.Client) { g.seats[c].Dropped++ }
func (g *game) Resumed(c *room.Client) { g.seats[c].Resumed++ }

func (g *game) hear(c *room.Client, n int) {
	s := g.seats[c]
	if n != s.Heard {
		s.Wrong++
	}
	s.Heard++
}

func (g *game) say(c *room.Client) {
	s := g.seats[c]
	n := s.Said
	s.Said++
	if open := s.Asked - s.Answered - s.Failed; n%5 != 0 || open > 20 { // a room may not have many open
		room.Emit(c, number, n)
		return
	}
	s.Asked++
	room.Ask(c, plus, n, time.Minute, func(reply int, err error) {
		switch {
		case err != nil:
			s.Failed++
		case reply == n+1000:
			s.Answered++
		}
	})
}

// number is answered by one at once, so that a room without ticks says something as well.
func (g *game) number(c *room.Client, n int) {
	g.hear(c, n)
	g.say(c)
}

func (g *game) double(c *room.Client, n int) (int, error) {
	g.hear(c, n)
	return 2 * n, nil
}

func (g *game) hush(*room.Client, bool)                       { g.quiet = true }
func (g *game) over(c *room.Client, _ bool)                   { c.Kick("that was it") }
func (g *game) report(c *room.Client, _ bool) (report, error) { return *g.seats[c], nil }
func (g *game) each(do func(c *room.Client)) {
	for c := range g.seats {
		do(c)
	}
}

// ticking is the game with ticks.
type ticking struct{ *game }

func (g ticking) Tick(t tick.Tick) {
	if g.quiet {
		return
	}
	g.each(g.say)
	if g.chatter != "" {
		room.Emit(g.room, filler, g.chatter)
	}
}

// forgetful is one that can tell its state anew.
type forgetful struct{ ticking }

func (g forgetful) Resync(c *room.Client) {
	g.seats[c].Resynced++
	room.Emit(c, snap, g.seats[c].Said)
}

type player interface {
	room.Game
	number(*room.Client, int)
	double(*room.Client, int) (int, error)
	hush(*room.Client, bool)
	over(*room.Client, bool)
	report(*room.Client, bool) (report, error)
}

func newKind[G player](name string, wrap func(*game) G, chatter string, cfg room.Config) *room.Kind[G] {
	k := room.Define(name, func(r *room.Room) G {
		return wrap(&game{room: r, seats: map[*room.Client]*report{}, chatter: chatter})
	}, cfg)
	room.On(k, number, G.number)
	room.Handle(k, double, G.double)
	room.On(k, hush, G.hush)
	room.On(k, leave, G.over)
	room.Handle(k, tell, G.report)
	return k
}

// TestResume runs resume.test.mjs, which connects through a proxy that cuts.
func TestResume(t *testing.T) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing: this test needs Node 18 or newer and npm (apt-get install nodejs npm)", tool)
		}
	}
	// npm writes this file last. The client needs the package ws where Node has no WebSocket of its own.
	if _, err := os.Stat("../../web/node_modules/.package-lock.json"); err != nil {
		ci := exec.Command("npm", "ci", "--no-audit", "--no-fund")
		ci.Dir = "../../web"
		if out, err := ci.CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
	}

	srv := volley.New(volley.Config{
		Addr:   "127.0.0.1:0",
		Logger: slog.New(slog.DiscardHandler),
	},
		newKind("events", func(g *game) *game { return g }, "", room.Config{}),
		newKind("ticks", func(g *game) ticking { return ticking{g} }, "", room.Config{Rate: 30}),
		newKind("forgetful", func(g *game) forgetful { return forgetful{ticking{g}} }, strings.Repeat("x", 500), room.Config{Rate: 30, Log: 8 << 10}),
		newKind("hasty", func(g *game) ticking { return ticking{g} }, "", room.Config{Rate: 30, Grace: 200 * time.Millisecond}),
	)
	if err := srv.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()

	tests, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(tests, "node", "--test", "--test-reporter=spec", "resume.test.mjs")
	cmd.Env = append(os.Environ(), "VOLLEY_SERVER="+srv.Addr().String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("node --test: %v\n%s", err, out)
	} else {
		t.Logf("node --test:\n%s", out)
	}

	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}
