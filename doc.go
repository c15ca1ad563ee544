// Package volley is a multiplayer game server to embed: connections join rooms, rooms run games at a fixed rate, and what a
// tick emits leaves as one frame per client, a volley.
//
//	package main
//
//	import (
//		"context"
//		"log"
//
//		"github.com/volley-go/volley"
//		"github.com/volley-go/volley/room"
//		"github.com/volley-go/volley/tick"
//	)
//
//	type Move struct{ DX, DY float32 }
//
//	const (
//		move  room.Event[Move]               = "move"  // from clients
//		state room.Event[map[uint32]Move]    = "state" // to everyone, each tick
//	)
//
//	type game struct {
//		room    *room.Room
//		players map[uint32]Move
//	}
//
//	func newGame(r *room.Room) *game { return &game{room: r, players: map[uint32]Move{}} }
//
//	func (g *game) Join(c *room.Client) error    { g.players[c.ID()] = Move{}; return nil }
//	func (g *game) Leave(c *room.Client)         { delete(g.players, c.ID()) }
//	func (g *game) Move(c *room.Client, m Move)  { p := g.players[c.ID()]; g.players[c.ID()] = Move{p.DX + m.DX, p.DY + m.DY} }
//	func (g *game) Tick(t tick.Tick)             { room.Emit(g.room, state, g.players) }
//
//	func main() {
//		kind := room.Define("game", newGame, room.Config{Rate: 20, Capacity: 8})
//		room.On(kind, move, (*game).Move)
//		log.Fatal(volley.New(volley.Config{Addr: ":8080"}, kind).Run(context.Background()))
//	}
//
// # Who does what
//
// Package room is what games are written with, and tick is their time. This package joins them to sockets (package netio):
// a connection is a session, and a session is a client of some rooms. Package client is the same wire from the other side,
// for bots and tests; browsers load [ClientJS], which a [Server] serves beside its WebSocket. docs/protocol.md is for those
// who write clients of their own.
//
// # Embedding
//
// A Server either listens itself (Config.Addr, Config.TCPAddr), or is an http.Handler in a mux of yours; both at once
// are fine. It has no package-level state and installs no signal handlers: Run ends when its context does.
package volley
