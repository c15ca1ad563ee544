package room

import (
	"errors"
	"runtime/debug"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/tick"
)

// Step runs one tick: input, timers, the game's step, and what came of it to every client. It is the scheduler's to call.
func (r *Room) Step(t tick.Tick) {
	if r.closed {
		return
	}
	r.running.Store(true)
	r.returned = false
	defer r.leaveStep()
	r.tick = t.N
	if rate := r.kind.cfg.Rate; rate > 0 {
		r.time = ticksTime(t.N, uint64(rate))
	} else {
		r.time = t.Now - r.opened
	}
	r.moveIn()
	r.log.begin(t.N)
	if r.batch == nil { // otherwise the tick before had too much to say to finish it
		r.batch, r.next = r.inbox.take(), 0
	}
	if !r.started {
		r.start()
	}
	r.workOff()
	r.runTimers()
	if r.hasTick() {
		r.game.(ticker).Tick(t)
		r.settle()
	}
	r.endIfEmpty()
	if r.closing != nil {
		r.sayGoodbye()
	}
	r.flush()
	r.sendOff()
	r.trim()
	r.moveOut()
	if r.closing != nil {
		r.shut()
	}
	r.sweepLater()
	r.keep()
	r.returned = true
}

// workOff does what waited in the inbox.
func (r *Room) workOff() {
	b := r.batch
	if b == nil {
		return
	}
	for r.next < len(b.items) {
		if r.log.tickBytes() > maxInputBytes {
			r.wake(false)
			return
		}
		it := &b.items[r.next]
		r.next++
		r.do(it)
		r.settle()
	}
	r.batch = nil
	b.release()
}

// ticksTime is how long n ticks take. Whole seconds apart, so that it does not overflow in our time.
func ticksTime(n, rate uint64) time.Duration {
	return time.Duration(n/rate)*time.Second + time.Duration(n%rate)*time.Second/time.Duration(rate)
}

func (r *Room) hasTick() bool { return r.kind.hooks.tick && r.closing == nil }

// leaveStep ends a Step, also one that panicked or ended its goroutine: then the room ends, and only it.
func (r *Room) leaveStep() {
	if !r.returned {
		p := recover()
		if p == nil {
			p = "runtime.Goexit"
		}
		r.Logger().Error("room: a callback panicked; the room ends", "panic", p, "stack", string(debug.Stack()))
		r.kind.host.counts.failed.Add(1)
		r.fail()
	}
	r.running.Store(false)
}

// start makes the game.
func (r *Room) start() {
	r.started = true
	r.game = r.kind.newGame(r)
	if r.kind.hooks.open {
		if err := r.game.(opener).Open(); err != nil {
			r.Logger().Warn("room: Open refused; the room ends", "error", err)
			r.end(asError(codec.JoinRefused, err))
			return
		}
	}
	r.ready = true
}

// do works off one item of the inbox.
func (r *Room) do(it *item) {
	payload := r.batch.bytes[it.at : it.at+it.n]
	switch it.kind {
	case itemPacket, itemReply, itemExcess:
		r.packet(it, payload)
	case itemJoin:
		r.admit(it.client)
	case itemLeave:
		r.drop(it.client, it.why)
	case itemChange:
		r.changeLink(it.client)
	case itemResync:
		r.resync(it.client)
	case itemPost:
		if r.closing == nil {
			it.post()
		}
	case itemEmit:
		at := len(r.log.bytes)
		s := segment{scope: toAll, index: it.index, key: it.key, latest: it.latest}
		r.commit(append(r.log.bytes, payload...), at, s)
	}
}

// packet gives a client's event, request or reply to whom it concerns.
func (r *Room) packet(it *item, payload []byte) {
	c := it.client
	if c.state != live || r.closing != nil {
		return
	}
	c.applied = it.seq
	r.acknowledge(c)
	var err error
	switch {
	case it.kind == itemReply:
		if err = r.answered(it, payload); err != nil {
			err = prefixed("a reply", err)
		}
	case it.kind == itemExcess:
		r.kind.host.counts.dropped.Add(1)
		if r.mayNotify(c) {
			c.link.Dropped(c.channel, it.seq, codec.Errorf(codec.TooManyRequests, "more than %d requests in one tick",
				r.kind.host.cfg.Requests))
		}
	case it.handler != nil:
		if err = it.handler.call(r, c, payload, it.id); err != nil {
			err = prefixed("event "+it.handler.name, err)
		}
	case it.id != 0:
		r.refuse(c, it.id, "no handler")
	default:
		r.kind.host.counts.dropped.Add(1)
		if !r.mayNotify(c) {
			break
		}
		name := r.kind.host.eventName(it.index, payload)
		r.Logger().Debug("room: a packet without a handler", "event", name, "client", c.id)
		c.link.Dropped(c.channel, it.seq, codec.Errorf(codec.UnknownEvent, "kind %s has no handler for %q", r.kind.name, name))
	}
	if err != nil {
		r.kind.host.counts.bad.Add(1)
		r.expel(c, asError(codec.BadPayload, err))
	}
}

// maxNotices is how many NOTICEs a client gets in one tick: a peer must not make the room write a frame for each of its
// packets. The acknowledgement covers the others.
const maxNotices = 16

// mayNotify reports whether c may get one more NOTICE in this tick, and counts it.
func (r *Room) mayNotify(c *Client) bool {
	rare := c.rarely()
	if rare.noticed != r.tick {
		rare.noticed, rare.notices = r.tick, 0
	}
	rare.notices++
	return rare.notices <= maxNotices
}

// settle does what a callback has left to do: the game's Leave for clients that go, which may make others go.
func (r *Room) settle() {
	for r.told < len(r.leavers) {
		c := r.leavers[r.told].c
		r.told++
		r.abandon(c)
		c.rare = nil
		r.game.Leave(c)
		r.remove(c)
		r.leavers[r.told-1].until = r.log.end()
	}
}

// asError returns err as an *Error, with code if it is none yet.
func asError(code codec.Code, err error) *codec.Error {
	var e *codec.Error
	switch {
	case !errors.As(err, &e):
		return &codec.Error{Code: code, Reason: err.Error()}
	case e == nil: // a nil *Error in an error, which the caller meant as one all the same
		return &codec.Error{Code: code}
	case error(e) != err: //nolint:errorlint // identity is meant
		return &codec.Error{Code: e.Code, Reason: err.Error()}
	}
	return e
}

// prefixed puts what in front of the reason.
func prefixed(what string, err error) error {
	e := asError(codec.BadPayload, err)
	return &codec.Error{Code: e.Code, Reason: what + ": " + e.Reason}
}
