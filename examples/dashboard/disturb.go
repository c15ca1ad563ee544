package main

import (
	"context"
	"log/slog"
	"time"
)

// What can go wrong on demand, so that one sees how it shows.
const (
	hold   = "hold"   // a callback of a room blocks
	insult = "insult" // a client sends what the game cannot read

	holdFor = 300 * time.Millisecond
)

// disturb has something go wrong, unless something does already. Any goroutine.
func (p *program) disturb(what string) {
	select {
	case p.disturbances <- what:
	default:
	}
}

// disturbing makes things go wrong, one at a time, until ctx ends.
func (p *program) disturbing(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case what := <-p.disturbances:
			if err := p.disturbNow(ctx, what); err != nil && ctx.Err() == nil {
				slog.Warn("dashboard: the disturbance did not work", "what", what, "error", err)
			}
		}
	}
}

func (p *program) disturbNow(ctx context.Context, what string) error {
	id := p.crowd.demo().Watch
	switch what {
	case hold:
		if r := p.srv.Room(id); r != nil {
			r.Post(func() { time.Sleep(holdFor) })
		}
	case insult:
		if id == "" {
			return nil
		}
		ctx, cancel := context.WithTimeout(ctx, joinLimit)
		defer cancel()
		return misbehave(ctx, p.url(), id)
	}
	return nil
}
