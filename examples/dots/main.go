package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

type Point struct{ X, Y float32 }

const aim room.Event[Point] = "aim"              // from a player
const dots room.Event[map[uint32]Point] = "dots" // to everyone, each tick

type game struct { // a plain struct: no locks, the room calls one method at a time
	room       *room.Room
	aims, dots map[uint32]Point
}

func newGame(r *room.Room) *game { return &game{r, map[uint32]Point{}, map[uint32]Point{}} }

func (g *game) Join(c *room.Client) error   { g.dots[c.ID()] = Point{200, 200}; return nil }
func (g *game) Leave(c *room.Client)        { delete(g.dots, c.ID()); delete(g.aims, c.ID()) }
func (g *game) Aim(c *room.Client, p Point) { g.aims[c.ID()] = p }

func (g *game) Tick(t tick.Tick) { // 30 times a second: step the game, tell everyone
	for id, to := range g.aims {
		dot := g.dots[id]
		g.dots[id] = Point{dot.X + (to.X-dot.X)/8, dot.Y + (to.Y-dot.Y)/8}
	}
	room.EmitLatest(g.room, dots, 0, g.dots)
}

func main() {
	kind := room.Define("dots", newGame, room.Config{Rate: 30, Capacity: 16})
	room.On(kind, aim, (*game).Aim)
	page := func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(html)) }
	srv := volley.New(volley.Config{Addr: "127.0.0.1:8080", Pages: http.HandlerFunc(page)}, kind)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first signal ends the games, a second one the program
	if err := srv.Run(ctx); err != nil {
		log.Fatal(err)
	}
}

const html = `<!doctype html><canvas id=c width=400 height=400 style="background:#123"></canvas>
<script type=module>import { connect } from "/volley.js"
const room = await (await connect()).joinOrCreate("dots"), pen = c.getContext("2d")
c.onpointermove = e => room.emit("aim", { X: e.offsetX, Y: e.offsetY })
room.on("dots", dots => { pen.clearRect(0, 0, 400, 400)
  for (const id in dots) { pen.fillStyle = "hsl(" + id * 99 + " 80% 60%)"; pen.fillRect(dots[id].X - 8, dots[id].Y - 8, 16, 16) }
})
</script>`
