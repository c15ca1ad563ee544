package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/socketio"
	"github.com/volley-go/volley/tick"
)

// One room with members of every kind: clients of Volley's own protocol over WebSocket and TCP, and socket.io-clients of npm
// over each transport with each parser. Everyone asks for every emit scope and has to hear exactly what it should, as in
// scopes_test.go, and everyone asks the room and is asked by it.

type order struct {
	Scope string
	Round int
}

type shout struct {
	Scope string
	From  uint32
	Round int
	Count int // how many the room has emitted
}

type hello struct {
	Name string `msgpack:"name"`
}

const (
	ordering room.Event[order]       = "order"
	shouting room.Event[shout]       = "shout"
	you      room.Event[uint32]      = "you" // a newcomer's number
	told     room.Event[string]      = "told"
	askMe    room.Event[int]         = "ask me"
	answered room.Event[int]         = "answered"
	kickMe   room.Event[string]      = "kick me"
	stream   room.Event[int]         = "stream"
	number   room.Event[int]         = "n"
	double   room.Call[int, int]     = "double"
	whoAmI   room.Call[bool, string] = "who am I"
	addOne   room.Call[int, int]     = "add one" // to clients

	mixedRounds = 6
)

var mixedScopes = []string{"self", "room", "others", "only", "except", "kind", "server"}

// mixed is a game that does as its clients want.
type mixed struct {
	room  *room.Room
	kind  room.Audience
	srv   **volley.Server
	count int
	lost  int
	back  int
	names map[*room.Client]string
}

func (g *mixed) Join(c *room.Client) error {
	h, err := room.Options[hello](c)
	if err != nil {
		return err
	}
	if h.Name == "eve" {
		return errors.New("no eves")
	}
	g.names[c] = h.Name
	room.Emit(c, you, c.ID())
	return nil
}

func (g *mixed) Leave(c *room.Client) { delete(g.names, c) }
func (g *mixed) Dropped(*room.Client) { g.lost++ }
func (g *mixed) Resumed(*room.Client) { g.back++ }

func (g *mixed) order(c *room.Client, o order) {
	g.count++
	var low []*room.Client
	for _, o := range g.room.Clients() {
		if o.ID() <= 3 {
			low = append(low, o)
		}
	}
	room.Emit(map[string]room.Audience{
		"self": c, "room": g.room, "others": c.Others(), "only": g.room.Only(low...), "except": g.room.Except(low...),
		"kind": g.kind, "server": *g.srv,
	}[o.Scope], shouting, shout{Scope: o.Scope, From: c.ID(), Round: o.Round, Count: g.count})
}

func (g *mixed) askMe(c *room.Client, n int) {
	room.Ask(c, addOne, n, 20*time.Second, func(reply int, err error) {
		if err == nil {
			room.Emit(c, answered, reply)
		} else {
			room.Emit(c, told, errText(err))
		}
	})
}

func (g *mixed) double(_ *room.Client, n int) (int, error) {
	if n < 0 {
		return 0, errors.New("too low")
	}
	return 2 * n, nil
}

func (g *mixed) whoAmI(c *room.Client, _ bool) (string, error) {
	user, _ := room.User[string](c)
	return fmt.Sprintf("%s as %s, lost %d, back %d", g.names[c], user, g.lost, g.back), nil
}

func (g *mixed) kickMe(c *room.Client, why string) { c.Kick(why) }

func (g *mixed) stream(c *room.Client, n int) {
	i := 0
	var timer *room.Timer
	timer = g.room.Every(10*time.Millisecond, func() {
		if room.Emit(c, number, i); i == n-1 {
			timer.Stop()
		}
		i++
	})
}

// tickedMixed is mixed at a rate.
type tickedMixed struct{ *mixed }

func (tickedMixed) Tick(tick.Tick) {}

func hearsMixed(scope string, from, to uint32) bool {
	switch scope {
	case "self":
		return from == to
	case "others":
		return from != to
	case "only":
		return to <= 3
	case "except":
		return to > 3
	}
	return true
}

type mixedGame interface {
	room.Game
	order(*room.Client, order)
	askMe(*room.Client, int)
	double(*room.Client, int) (int, error)
	whoAmI(*room.Client, bool) (string, error)
	kickMe(*room.Client, string)
	stream(*room.Client, int)
}

func defineMixed[G mixedGame](name string, wrap func(*mixed) G, cfg room.Config, srv **volley.Server) *room.Kind[G] {
	var k *room.Kind[G]
	k = room.Define(name, func(r *room.Room) G {
		return wrap(&mixed{room: r, kind: k, srv: srv, names: map[*room.Client]string{}})
	}, cfg)
	room.On(k, ordering, G.order)
	room.On(k, askMe, G.askMe)
	room.On(k, kickMe, G.kickMe)
	room.On(k, stream, G.stream)
	room.Handle(k, double, G.double)
	room.Handle(k, whoAmI, G.whoAmI)
	return k
}

// serveMixed serves both kinds to everybody, and returns the address of Socket.IO.
func serveMixed(t *testing.T) (*volley.Server, string) {
	var srv *volley.Server
	io := socketio.New(socketio.Config{
		Recovery: time.Second, // of namespaces; games have their own
		Logger:   slog.New(slog.DiscardHandler),
		Auth: func(h *socketio.Handshake) (any, error) {
			var v hello
			if err := h.Auth(&v); err != nil {
				return nil, err
			}
			if v.Name == "mallory" {
				return nil, &socketio.ConnectError{Message: "not you", Data: map[string]any{"name": v.Name}}
			}
			return "user " + v.Name, nil
		},
	})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	event := defineMixed("event", func(g *mixed) *mixed { return g }, room.Config{}, &srv)
	ticked := defineMixed("ticked", func(g *mixed) tickedMixed { return tickedMixed{g} }, room.Config{Rate: 60}, &srv)
	srv = serveVolley(t, volley.Config{Pages: mux}, event, ticked)
	io.Mount("/event", srv.Host, "event")
	io.Mount("/ticked", srv.Host, "ticked")
	t.Cleanup(func() { assert.NoError(t, io.Close(context.Background())) })
	return srv, "http://" + srv.Addr().String()
}

// ear is a native client of the test and what it heard.
type ear struct {
	room *client.Room
	mu   sync.Mutex
	got  []shout // guarded by mu
}

func (e *ear) heard() []shout {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.got)
}

// joinNative joins a client of Volley's own protocol.
func joinNative(t *testing.T, srv *volley.Server, transport, how, where string) *ear {
	t.Helper()
	url := "ws://" + srv.Addr().String() + "/volley"
	if transport == "tcp" {
		url = "tcp://" + srv.TCPAddr().String()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, url, client.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	e := &ear{}
	join := c.JoinByID
	if how == "kind" {
		join = c.JoinOrCreate
	}
	e.room, err = join(ctx, where, hello{transport}, func(r *client.Room) {
		client.On(r, shouting, func(s shout, _ client.Meta) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.got = append(e.got, s)
		})
		client.Handle(r, addOne, func(n int) (int, error) { return n + 1, nil })
	})
	require.NoError(t, err)
	return e
}

func TestMixedRoom(t *testing.T) {
	needNPM(t)
	for _, kind := range []string{"event", "ticked"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			srv, url := serveMixed(t)
			first := joinNative(t, srv, "ws", "kind", kind)
			ears := []*ear{first}
			for _, transport := range []string{"tcp", "ws", "tcp"} {
				ears = append(ears, joinNative(t, srv, transport, "id", first.room.ID()))
			}
			n := startNode(t, "mixed.mjs", map[string]any{
				"parser": "default", "transports": []string{"websocket"}, "servers": map[string]string{"main": url},
				"kind": kind, "room": first.room.ID(), "rounds": mixedRounds, "scopes": mixedScopes,
			})
			defer n.wait(t)
			talkMixed(t, ears, n)
		})
	}
}

// talkMixed has everybody speak, and compares what everybody heard with the rule.
func talkMixed(t *testing.T, ears []*ear, n *node) {
	numbers := map[uint32]bool{}
	for _, e := range ears {
		numbers[e.room.ClientID()] = true
	}
	var ready struct{ Numbers []uint32 }
	readLine(t, n, &ready)
	for _, id := range ready.Numbers {
		numbers[id] = true
	}
	require.Len(t, numbers, len(ears)+6)

	for round := range mixedRounds {
		for _, e := range ears {
			for _, scope := range mixedScopes {
				require.NoError(t, client.Emit(e.room, ordering, order{scope, round}))
			}
			got, err := client.Request(context.Background(), e.room, double, round)
			require.NoError(t, err)
			require.Equal(t, 2*round, got)
		}
	}
	wants := func(to uint32) (list []string) {
		for from := range numbers {
			for _, scope := range mixedScopes {
				if hearsMixed(scope, from, to) {
					for round := range mixedRounds {
						list = append(list, fmt.Sprint(from, scope, round))
					}
				}
			}
		}
		sort.Strings(list)
		return list
	}
	check := func(who string, to uint32, got []shout) {
		t.Helper()
		var list []string
		count := 0
		for _, s := range got {
			if s.Scope != "kind" && s.Scope != "server" { // which take a way of their own
				assert.Greater(t, s.Count, count, "%s: in the order of emitting", who)
				count = s.Count
			}
			list = append(list, fmt.Sprint(s.From, s.Scope, s.Round))
		}
		sort.Strings(list)
		assert.Equal(t, wants(to), list, who)
	}
	var report struct {
		Heard  map[uint32][]shout
		Errors []string
	}
	_, _ = fmt.Fprintln(n.in, len(wants(1)), len(wants(4)))
	readLine(t, n, &report)
	assert.Empty(t, report.Errors)
	assert.Len(t, report.Heard, 6)
	for id, got := range report.Heard {
		check(fmt.Sprint("socket.io-client ", id), id, got)
	}
	for _, e := range ears {
		id := e.room.ClientID()
		require.Eventually(t, func() bool { return len(e.heard()) >= len(wants(id)) }, 20*time.Second, 5*time.Millisecond)
		check(fmt.Sprint("native client ", id), id, e.heard())
	}
}

// readLine reads a line of JSON.
func readLine(t *testing.T, n *node, v any) {
	t.Helper()
	for n.lines.Scan() {
		if strings.HasPrefix(n.lines.Text(), "{") {
			require.NoError(t, json.Unmarshal(n.lines.Bytes(), v), "%.200s", n.lines.Text())
			return
		}
		t.Log(n.lines.Text())
	}
	n.wait(t)
	require.Fail(t, "the script ended")
}

// TestMountedKinds runs what is special about socket.io-clients in games.
func TestMountedKinds(t *testing.T) {
	needNPM(t)
	for _, m := range matrix {
		if m.name != "default/polling" && m.name != "msgpack/websocket" && m.name != "default/upgrade" {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			_, url := serveMixed(t)
			n := startNode(t, "mounted.mjs", map[string]any{
				"parser": m.parser, "transports": m.transports, "servers": map[string]string{"main": url},
			})
			report(t, n)
		})
	}
}
