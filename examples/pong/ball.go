package main

import "github.com/volley-go/volley/room"

// facing is the direction, along x, in which the paddle of a seat is hit.
func facing(seat int) float32 { return float32(2*seat - 1) }

// serve puts the ball into the middle, to fly towards a seat after some ticks.
func (p *pong) serve(seat int, wait uint64) {
	p.X, p.Y = width/2, height/2
	p.vx, p.vy = firstSpeed*facing(seat), (p.room.Rand().Float32()-0.5)*firstSpeed
	p.table.Serve = p.room.Tick() + wait
}

// fly moves the ball by one step, and lets walls, paddles and goals have their say.
func (p *pong) fly(dt float32) {
	x, y := p.X, p.Y
	p.X, p.Y = x+p.vx*dt, y+p.vy*dt
	if wall := clamp(p.Y, radius, height-radius); wall != p.Y {
		p.Y, p.vy = 2*wall-p.Y, -p.vy
		room.Emit(p.room, bounce, -1)
	}
	for seat, face := range [2]float32{paddleX + radius, width - paddleX - radius} {
		dir := facing(seat)
		if p.vx*dir <= 0 || x*dir >= face*dir || p.X*dir < face*dir {
			continue // it does not come, is behind the paddle already, or not there yet
		}
		off := (p.Y - p.Paddles[seat]) / (reach + radius) // where on the paddle, from -1 to 1
		if off < -1 || off > 1 {
			continue
		}
		speed := min(fastest, 1.06*p.vx*dir)
		p.X, p.vx, p.vy = face, -speed*dir, 0.8*speed*off
		room.Emit(p.room, bounce, seat)
	}
	switch {
	case p.X <= 0:
		p.goal(1)
	case p.X >= width:
		p.goal(0)
	}
}

// towards moves from a to b by at most step.
func towards(a, b, step float32) float32 { return a + clamp(b-a, -step, step) }

func clamp(v, low, high float32) float32 { return max(low, min(high, v)) }
