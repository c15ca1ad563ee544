package main

import (
	"strings"
	"unicode/utf8"
)

// callBot gives an empty seat to a bot.
func (p *pong) callBot() {
	for seat, name := range p.table.Names {
		if name == "" {
			p.table.Names[seat], p.table.Bots[seat] = "Robo", true
			p.newMatch()
			p.changed()
		}
	}
}

// botAim is where a bot wants its paddle: behind the ball when it comes, a little off so that it can be beaten.
func (p *pong) botAim(seat int) float32 {
	if p.vx*float32(2*seat-1) < 0 {
		return height / 2
	}
	off := float32(int(p.room.Tick()/40)%5-2) * reach * 0.42
	if p.room.Tick()%240 > 215 {
		return p.aims[seat] // it looks away now and then
	}
	return p.Y + off
}

// towards moves from a to b by at most step.
func towards(a, b, step float32) float32 { return a + clamp(b-a, -step, step) }

func clamp(v, low, high float32) float32 { return max(low, min(high, v)) }

// cleanName makes what a client calls itself fit for a scoreboard.
func cleanName(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	for utf8.RuneCountInString(s) > 12 {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	if s == "" {
		return "Guest"
	}
	return s
}
