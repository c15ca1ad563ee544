// Package stranger holds a client that was written from docs/protocol.md alone, in another language and by somebody who
// had not seen the server. Its tests run here against a real server.
package stranger

import (
	"context"
	"errors"
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

type said struct {
	From uint32 `msgpack:"from"`
	Text string `msgpack:"text"`
}

type welcomed struct {
	Number uint32 `msgpack:"number"`
	Name   string `msgpack:"name"`
}

type terms struct {
	A int32 `msgpack:"a"`
	B int32 `msgpack:"b"`
}

type joinOptions struct {
	Name string `msgpack:"name"`
}

const (
	say     room.Event[string]  = "say"
	whisper room.Event[string]  = "whisper"
	tell    room.Event[string]  = "tell"
	askMe   room.Event[string]  = "askme"
	float   room.Event[float32] = "float"
	small   room.Event[uint8]   = "small"
	kick    room.Event[string]  = "kick" // the game kicks the sender
	end     room.Event[string]  = "end"  // the game closes the room

	add      room.Call[terms, int32]   = "add"
	fail     room.Call[string, string] = "fail"
	question room.Call[string, string] = "question" // to clients

	saidEvent room.Event[said]     = "said"
	welcome   room.Event[welcomed] = "welcome"
	answered  room.Event[string]   = "answered"
	number    room.Event[float64]  = "number"
)

type game struct{ room *room.Room }

func newGame(r *room.Room) *game { return &game{r} }

func (g *game) Leave(c *room.Client) {}

func (g *game) Join(c *room.Client) error {
	o, err := room.Options[joinOptions](c)
	if err != nil {
		return err
	}
	if o.Name == "eve" {
		return errors.New("no eves")
	}
	room.Emit(c, welcome, welcomed{c.ID(), o.Name})
	return nil
}

func (g *game) say(c *room.Client, s string)     { room.Emit(g.room, saidEvent, said{c.ID(), s}) }
func (g *game) whisper(c *room.Client, s string) { room.Emit(c, saidEvent, said{c.ID(), s}) }
func (g *game) tell(c *room.Client, s string)    { room.Emit(c.Others(), saidEvent, said{c.ID(), s}) }
func (g *game) float(c *room.Client, f float32)  { room.Emit(c, number, float64(f)) }
func (g *game) small(c *room.Client, n uint8)    { room.Emit(c, number, float64(n)) }
func (g *game) kick(c *room.Client, s string)    { c.Kick(s) }
func (g *game) end(c *room.Client, s string)     { g.room.Close(s) }

func (g *game) askMe(c *room.Client, s string) {
	room.Ask(c, question, s, 0, func(reply string, err error) {
		var refused room.RemoteError
		switch {
		case errors.As(err, &refused):
			room.Emit(c, answered, "refused: "+string(refused))
		case err == nil:
			room.Emit(c, answered, reply)
		}
	})
}

func (g *game) add(c *room.Client, t terms) (int32, error)    { return t.A + t.B, nil }
func (g *game) fail(c *room.Client, _ string) (string, error) { return "", errors.New("no luck") }

// forgetful is the game of a room that does not remember much.
type forgetful struct{ *game }

func newForgetful(r *room.Room) forgetful { return forgetful{newGame(r)} }

func (g forgetful) Resync(c *room.Client) { room.Emit(c, welcome, welcomed{c.ID(), "again"}) }

// game60 is the game with ticks: a kind with a rate must have them, and one without must not.
type game60 struct{ *game }

func newGame60(r *room.Room) game60 { return game60{newGame(r)} }

func (game60) Tick(tick.Tick) {}

// player is both of them.
type player interface {
	room.Game
	say(*room.Client, string)
	whisper(*room.Client, string)
	tell(*room.Client, string)
	askMe(*room.Client, string)
	float(*room.Client, float32)
	small(*room.Client, uint8)
	kick(*room.Client, string)
	end(*room.Client, string)
	add(*room.Client, terms) (int32, error)
	fail(*room.Client, string) (string, error)
}

func newKind[G player](name string, newGame func(*room.Room) G, cfg room.Config) *room.Kind[G] {
	k := room.Define(name, newGame, cfg)
	room.On(k, say, G.say)
	room.On(k, whisper, G.whisper)
	room.On(k, tell, G.tell)
	room.On(k, askMe, G.askMe)
	room.On(k, float, G.float)
	room.On(k, small, G.small)
	room.On(k, kick, G.kick)
	room.On(k, end, G.end)
	room.Handle(k, add, G.add)
	room.Handle(k, fail, G.fail)
	return k
}

// TestStranger runs stranger.test.mjs. Pings, acknowledgements and the handshake's timeout are quicker than by default, so
// that a test of a second sees them.
func TestStranger(t *testing.T) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing: this test needs Node 20 or newer and npm (apt-get install nodejs npm)", tool)
		}
	}
	// npm writes this file last.
	if _, err := os.Stat("node_modules/.package-lock.json"); err != nil {
		if out, err := exec.Command("npm", "ci", "--no-audit", "--no-fund").CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
	}

	srv := volley.New(volley.Config{
		Addr:             "127.0.0.1:0",
		TCPAddr:          "127.0.0.1:0",
		PingInterval:     time.Second,
		AckInterval:      200 * time.Millisecond,
		HandshakeTimeout: 2 * time.Second,
		Logger:           slog.New(slog.DiscardHandler),
	},
		newKind("stranger", newGame, room.Config{}),
		newKind("stranger60", newGame60, room.Config{Rate: 60}),
		newKind("impatient", newGame, room.Config{Grace: 200 * time.Millisecond}),
		newKind("forgetful", newForgetful, room.Config{Log: 8 << 10}))
	if err := srv.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()

	tests, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(tests, "node", "--test", "--test-reporter=spec", "stranger.test.mjs")
	cmd.Env = append(os.Environ(),
		"VOLLEY_WS=ws://"+srv.Addr().String()+"/volley", "VOLLEY_TCP="+srv.TCPAddr().String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("node --test: %v\n%s", err, out)
	} else {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		t.Log("node --test:\n" + strings.Join(lines[max(0, len(lines)-8):], "\n"))
	}

	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}
