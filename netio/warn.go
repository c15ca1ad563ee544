package netio

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/volley-go/volley/codec"
)

// warnEvery is how often a line that a flood would repeat is logged at the most.
const warnEvery = 10 * time.Second

// logbook knows when each of those lines was last logged.
type logbook struct {
	mu    sync.Mutex
	lines map[line]*entry // guarded by mu; there are as many as there are calls in the code, and codes of limits
}

type line struct {
	text string
	code codec.Code
}

type entry struct {
	at       int64 // the engine's clock
	unlogged int   // since then
}

// due reports whether the line is to be logged now, and how many were not since it last was.
func (b *logbook) due(l line, now int64) (unlogged int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.lines[l]
	if e == nil {
		if b.lines == nil {
			b.lines = make(map[line]*entry)
		}
		b.lines[l] = &entry{at: now}
		return 0, true
	}
	if now-e.at < int64(warnEvery) {
		e.unlogged++
		return 0, false
	}
	unlogged = e.unlogged
	e.at, e.unlogged = now, 0
	return unlogged, true
}

// warn logs what a flood would repeat: each text at most once in warnEvery, with the number of those in between. text is a
// constant.
func (e *Engine) warn(text string, args ...any) {
	if unlogged, ok := e.logbook.due(line{text: text}, e.now()); ok {
		e.log.Warn(text, append(args, "unlogged", unlogged)...)
	}
}

// logClose logs that a limit has ended a connection, each limit at most once in warnEvery. Other ends are their peer's or the
// game's, and their reasons may hold what is nobody's business.
func (e *Engine) logClose(c *Conn, reason error) {
	var why *codec.Error
	if !errors.As(reason, &why) || !isLimit(why.Code) {
		return
	}
	const text = "netio: a limit ends connections"
	if unlogged, ok := e.logbook.due(line{text, why.Code}, e.now()); ok {
		e.log.LogAttrs(context.Background(), slog.LevelInfo, text, slog.String("code", why.Code.String()),
			slog.String("reason", why.Reason), slog.Any("remote", c.remote), slog.Int("unlogged", unlogged))
	}
}

// isLimit reports whether a code says that a peer went beyond a limit, or was too slow for one.
func isLimit(c codec.Code) bool {
	switch c {
	case codec.TooBig, codec.Overloaded, codec.TooComplex, codec.RateLimited, codec.HandshakeTimeout, codec.IdleTimeout,
		codec.SlowConsumer, codec.InboxFull, codec.BadChannel:
		return true
	}
	return false
}
