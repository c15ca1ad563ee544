package main

import (
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// pong is the game of one room. Its methods run one at a time, so it needs no locks. What flies is in ball.go, and the bot in
// bot.go.
type pong struct {
	room    *room.Room
	State                           // what everyone is sent each tick
	vx, vy  float32                 // the ball's velocity
	table   Table                   // what everyone is sent when it changes
	names   map[*room.Client]string // of everyone here
	players [2]*room.Client         // by seat; nil: nobody, or the bot
	aims    [2]float32              // where they want their paddles
	bot     bot
}

func newPong(r *room.Room) *pong {
	p := &pong{room: r, names: map[*room.Client]string{}}
	p.Paddles = [2]float32{height / 2, height / 2}
	p.aims = p.Paddles
	p.newMatch()
	return p
}

// Join gives a newcomer a seat in which no human sits, or lets them watch.
func (p *pong) Join(c *room.Client) error {
	o, err := room.Options[Options](c)
	if err != nil {
		return err
	}
	p.names[c] = cleanName(o.Name)
	free := p.seatOf(nil)
	if free >= 0 {
		p.sit(c, free)
	}
	room.Emit(c, seated, free)
	p.changed()
	return nil
}

// Leave gives the seat of who goes to who has watched longest.
func (p *pong) Leave(c *room.Client) {
	delete(p.names, c)
	if seat := p.seatOf(c); seat >= 0 {
		p.sit(nil, seat)
		for _, next := range p.room.Clients() {
			if next != c && p.seatOf(next) < 0 {
				p.sit(next, seat)
				room.Emit(next, seated, seat)
				break
			}
		}
	}
	p.changed()
}

// seatOf returns the seat of c, -1 if it has none. seatOf(nil) is a seat without a human.
func (p *pong) seatOf(c *room.Client) int {
	for seat, player := range p.players {
		if player == c {
			return seat
		}
	}
	return -1
}

// sit gives the seat to c, or to nobody; then a bot may come.
func (p *pong) sit(c *room.Client, seat int) {
	p.players[seat], p.table.Names[seat], p.table.Bots[seat] = c, p.names[c], false
	p.table.Away[seat] = false
	p.aims[seat] = height / 2
	p.newMatch()
	p.expectBot()
}

// Aim is a player's wish; the paddle follows at its own speed.
func (p *pong) Aim(c *room.Client, y float32) {
	if seat := p.seatOf(c); seat >= 0 {
		p.aims[seat] = y
	}
}

// Rematch begins again after a match, as soon as one player wants to.
func (p *pong) Rematch(c *room.Client, _ bool) {
	if p.table.Winner >= 0 && p.seatOf(c) >= 0 {
		p.newMatch()
		p.changed()
	}
}

func (p *pong) newMatch() {
	p.table.Score, p.table.Winner = [2]int{}, -1
	p.serve(p.room.Rand().IntN(2), pause)
}

// goal counts for scorer, and the ball goes to the other.
func (p *pong) goal(scorer int) {
	p.table.Score[scorer]++
	if p.table.Score[scorer] == goals {
		p.table.Winner = scorer
	}
	p.serve(1-scorer, afterGoal)
	p.changed()
}

// changed tells everyone what stands on the scoreboard.
func (p *pong) changed() {
	p.table.Watch = max(0, len(p.names)-len(p.players))
	room.Emit(p.room, table, p.table)
}

// Tick moves everything by one step and tells everyone.
func (p *pong) Tick(t tick.Tick) {
	dt := float32(t.Seconds())
	for seat, y := range p.Paddles {
		if p.table.Bots[seat] || p.table.Away[seat] {
			p.aims[seat] = p.botAim(seat)
		}
		p.Paddles[seat] = towards(y, clamp(p.aims[seat], reach, height-reach), paddleSpeed*dt)
	}
	if p.playing() {
		p.fly(dt)
	}
	room.EmitLatest(p.room, state, 0, p.State)
}

// playing reports whether the ball flies: both seats are taken, nobody has won, and it was served.
func (p *pong) playing() bool {
	t := &p.table
	return t.Names[0] != "" && t.Names[1] != "" && t.Winner < 0 && t.Serve <= p.room.Tick()
}
