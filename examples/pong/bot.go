package main

import "github.com/volley-go/volley/room"

// bot plays where no human sits, and for those who are away.
type bot struct {
	coming *room.Timer // of a bot that will take an empty seat
	slip   [2]float32  // how far beside the ball it aims, by seat
	awaits [2]bool     // the ball is on its way to it
}

// expectBot lets a bot take the seat that is empty, in a while.
func (p *pong) expectBot() {
	if p.bot.coming != nil {
		p.bot.coming.Stop()
	}
	p.bot.coming = p.room.After(botWaits, func() {
		for seat, name := range p.table.Names {
			if name == "" {
				p.table.Names[seat], p.table.Bots[seat] = "Robo", true
				p.newMatch()
				p.changed()
			}
		}
	})
}

// botAim is where the bot wants its paddle: in the middle while the ball goes away, and behind the ball when it comes. It aims
// a little beside it, anew each time and the more so the faster the ball is: a long rally beats it, and so do steep shots,
// which are faster than its paddle.
func (p *pong) botAim(seat int) float32 {
	speed := p.vx * facing(seat)
	if before := p.bot.awaits[seat]; speed > 0 && !before {
		p.bot.slip[seat] = (2*p.room.Rand().Float32() - 1) * reach * (0.7 + 1.1*speed/fastest)
	}
	p.bot.awaits[seat] = speed > 0
	if !p.bot.awaits[seat] {
		return height / 2
	}
	return p.Y + p.bot.slip[seat]
}
