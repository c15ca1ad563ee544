package main

import (
	"time"

	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

type pong struct {
	room    *room.Room
	State   // what is sent each tick
	table   Table
	vx, vy  float32 // the ball's speed
	aims    [2]float32
	players [2]*room.Client // nil: nobody, or a bot
	names   map[*room.Client]string
	serveAt time.Time // the ball rests until then
}

func newPong(r *room.Room) *pong {
	p := &pong{room: r, names: map[*room.Client]string{}, aims: [2]float32{height / 2, height / 2}}
	p.newMatch()
	return p
}

// Join seats a newcomer where no human sits, or lets them watch.
func (p *pong) Join(c *room.Client) error {
	o, err := room.Options[Options](c)
	if err != nil {
		return err
	}
	p.names[c] = cleanName(o.Name)
	room.Emit(c, seated, p.sit(c))
	p.changed()
	return nil
}

// Leave gives the seat to who has watched longest.
func (p *pong) Leave(c *room.Client) {
	delete(p.names, c)
	for seat, owner := range p.players {
		if owner != c {
			continue
		}
		p.players[seat], p.table.Names[seat] = nil, ""
		for _, next := range p.room.Clients() {
			if next != c && next != p.players[1-seat] {
				room.Emit(next, seated, p.sit(next))
				break
			}
		}
		p.newMatch()
		p.room.After(botWaits, p.callBot)
	}
	p.changed()
}

// sit returns the seat that c gets; -1: none is free.
func (p *pong) sit(c *room.Client) int {
	for seat, owner := range p.players {
		if owner != nil {
			continue
		}
		p.players[seat], p.table.Names[seat], p.table.Bots[seat] = c, p.names[c], false
		p.newMatch()
		p.room.After(botWaits, p.callBot)
		return seat
	}
	return -1
}

// Aim is a player's wish; the paddle follows at its own speed.
func (p *pong) Aim(c *room.Client, y float32) {
	for seat, owner := range p.players {
		if owner == c {
			p.aims[seat] = y
		}
	}
}

// Rematch begins again after a match, when a player wants to.
func (p *pong) Rematch(c *room.Client, _ bool) {
	if p.table.Winner >= 0 && (c == p.players[0] || c == p.players[1]) {
		p.newMatch()
		p.changed()
	}
}

func (p *pong) newMatch() {
	p.table.Score, p.table.Winner = [2]int{}, -1
	p.Paddles = [2]float32{height / 2, height / 2}
	p.serve(p.room.Rand().IntN(2), pause)
}

// serve puts the ball into the middle, to fly towards a seat after a while.
func (p *pong) serve(to int, wait time.Duration) {
	p.X, p.Y = width/2, height/2
	p.vx, p.vy = firstSpeed*float32(2*to-1), (p.room.Rand().Float32()-0.5)*firstSpeed
	p.serveAt = p.room.Now().Add(wait)
}

// changed tells everyone what stands on the scoreboard.
func (p *pong) changed() {
	p.table.Watch = max(0, len(p.names)-2)
	room.Emit(p.room, table, p.table)
}

// Tick moves everything by one step and tells everyone.
func (p *pong) Tick(t tick.Tick) {
	dt := float32(t.Seconds())
	for seat := range p.Paddles {
		if p.table.Bots[seat] {
			p.aims[seat] = p.botAim(seat)
		}
		p.Paddles[seat] = towards(p.Paddles[seat], clamp(p.aims[seat], reach, height-reach), paddleSpeed*dt)
	}
	if p.table.Winner < 0 && p.table.Names[0] != "" && p.table.Names[1] != "" && p.room.Now().After(p.serveAt) {
		p.fly(dt)
	}
	room.EmitLatest(p.room, state, 0, p.State)
}

// fly moves the ball, and lets walls, paddles and goals have their say.
func (p *pong) fly(dt float32) {
	before := p.X
	p.X, p.Y = p.X+p.vx*dt, p.Y+p.vy*dt
	if (p.Y < radius && p.vy < 0) || (p.Y > height-radius && p.vy > 0) {
		p.vy = -p.vy
		room.Emit(p.room, bounce, -1)
	}
	for seat, face := range [2]float32{paddleX + radius, width - paddleX - radius} {
		off := (p.Y - p.Paddles[seat]) / (reach + radius) // where on the paddle, from -1 to 1
		if crossed := (before-face)*(p.X-face) <= 0; crossed && p.vx*float32(2*seat-1) > 0 && off > -1 && off < 1 {
			speed := min(fastest, 1.06*max(p.vx, -p.vx))
			p.vx, p.vy = speed*float32(1-2*seat), speed*0.8*off
			p.X = face
			room.Emit(p.room, bounce, seat)
		}
	}
	switch {
	case p.X < 0:
		p.goal(1, 0)
	case p.X > width:
		p.goal(0, 1)
	}
}

func (p *pong) goal(winner, loser int) {
	p.table.Score[winner]++
	p.serve(loser, afterGoal)
	if p.table.Score[winner] == goals {
		p.table.Winner = winner
	}
	p.changed()
}
