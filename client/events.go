package client

import (
	"errors"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// On calls f with each event of this name, in the order of registration. A payload that does not fit T ends the connection with
// codec.BadPayload: this program and the server's do not mean the same.
func On[T any](r *Room, ev room.Event[T], f func(v T, m Meta)) {
	d, v := decoderFor[T](string(ev)), new(T) // v: on the heap once, as one callback runs at a time
	run := func(payload []byte, m Meta) error {
		if err := d.Decode(payload, v); err != nil {
			return misfit(string(ev), err)
		}
		arg := *v
		var zero T
		*v = zero
		f(arg, m)
		return nil
	}
	r.register(func(h *handlers) { h.events = append(h.events, eventHandler{string(ev), run}) })
}

// misfit is a payload's error with its event.
func misfit(event string, err error) error {
	var e *codec.Error
	if errors.As(err, &e) {
		return codec.Errorf(e.Code, "event %s: %s", event, e.Reason)
	}
	return codec.Errorf(codec.BadPayload, "event %s: %v", event, err)
}

// Emit sends an event, at once or, in a Batch, with it. The value is encoded at once, so it may be changed afterwards. While the
// connection is lost the event waits, and is sent when it is back. An error means that it is not sent: it cannot be encoded, or
// is beyond the server's limits (codec.TooBig, codec.TooComplex, codec.Malformed); too much is unacknowledged or waits
// (ErrFull); this client is not in the room (ErrNotJoined), or has ended.
func Emit[T any](r *Room, ev room.Event[T], v T) error {
	p := packerFor[T]()
	k := p.get()
	err := errOtherSession
	for err == errOtherSession { //nolint:errorlint // our own, as it is
		if err = k.packet(r.client, beginEvent, string(ev), v); err == nil {
			err = r.send(k.buf, k.session)
		}
	}
	p.put(k)
	return err
}

// errOtherSession says that a packet was encoded with the names of another session than it was to be sent in.
var errOtherSession = errors.New("client: a new session began")

// Batch sends everything that is emitted to the room while f runs, by whomever, as one frame, or as few as the server's limits
// allow. A Request in f, and Leave, send what there is at once.
func (r *Room) Batch(f func()) error {
	r.mu.Lock()
	r.corked++
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.corked--
		r.mu.Unlock()
	}()
	f()
	return r.flush(false)
}

// send numbers a packet and sees to it that it leaves. session is the one whose names it was encoded with.
func (r *Room) send(packet []byte, session int) error {
	r.mu.Lock()
	err := r.putLocked(packet, nil, session)
	corked := r.corked > 0
	r.mu.Unlock()
	if err != nil || corked {
		return err
	}
	return r.flush(false)
}

// putLocked numbers a packet, of two parts. Under mu.
func (r *Room) putLocked(head, tail []byte, session int) error {
	switch {
	case r.state != joined || r.client.closed.Load():
		return r.goneLocked()
	case r.session != session:
		return errOtherSession
	case !r.outbox.fits(len(head)+len(tail), r.client.cfg.Unacknowledged):
		return ErrFull
	}
	r.outbox.put(head, tail)
	return nil
}

// onVolley takes a frame of the room. On the goroutine that reads.
func (r *Room) onVolley(v codec.ServerVolley, packets []codec.Packet) error {
	r.mu.Lock()
	switch {
	case r.link != live && r.link != mute:
		r.mu.Unlock()
		return codec.Errorf(codec.UnexpectedFrame, "a VOLLEY on channel %d before its JOINED or RESUMED", v.Channel)
	case v.Tick < r.tick:
		defer r.mu.Unlock()
		return codec.Errorf(codec.UnexpectedFrame, "tick %d came after tick %d", v.Tick, r.tick)
	case !r.outbox.trim(v.Ack):
		r.mu.Unlock()
		return codec.Errorf(codec.UnexpectedFrame, "packet %d was acknowledged and never sent", v.Ack)
	}
	r.tick = v.Tick
	m := Meta{Tick: v.Tick, Ack: r.outbox.acked}
	abandoned, resync := r.abandoned, r.resync
	r.fresh, r.resync = false, false
	r.mu.Unlock()
	if abandoned {
		return nil
	}
	for i := range packets {
		if r.client.closed.Load() {
			return nil
		}
		if err := r.dispatch(&packets[i], m); err != nil {
			return err
		}
	}
	if resync { // what was processed and is not answered by now will never be
		r.mu.Lock()
		failed := r.takeLocked(v.Ack)
		r.mu.Unlock()
		fail(failed, ErrReplyLost)
	}
	for _, f := range r.handlers.Load().volleys {
		if !r.client.closed.Load() {
			f(m)
		}
	}
	r.acknowledge()
	return nil
}

func (r *Room) dispatch(p *codec.Packet, m Meta) error {
	switch p.Kind {
	case codec.Reply, codec.Failure:
		r.answered(p)
		return nil
	}
	var name string
	if p.Index == codec.NoIndex {
		name = string(p.Name)
	} else if list := r.client.names.Load().list; int(p.Index) < len(list) {
		name = list[p.Index]
	} else {
		return codec.Errorf(codec.UnexpectedFrame, "event %d is not in the table", p.Index)
	}
	h := r.handlers.Load()
	if p.Kind == codec.Request {
		r.asked(h, name, p)
		return nil
	}
	for i := range h.events {
		if e := &h.events[i]; e.name == name {
			if err := e.run(p.Payload, m); err != nil {
				return err
			}
		}
	}
	for _, f := range h.anys {
		f(name, p.Payload, m)
	}
	return nil
}

// acknowledge sees to it that the server hears of the tick in time: with whatever is sent until then or, if nothing is, by a
// frame of its own. Half of the time that the server gives is used, so that the way there fits in as well.
func (r *Room) acknowledge() {
	c := r.client
	now := c.in.heard
	r.mu.Lock()
	if r.ackDue.IsZero() && r.told < r.tick && r.state == joined && r.link == live && r.facts.Acks > 0 {
		r.ackDue = now.Add(time.Duration(r.facts.Acks) * time.Millisecond / 2)
	}
	due := r.ackDue
	r.mu.Unlock()
	if !due.IsZero() && !due.After(now) {
		_ = r.flush(true)
		return
	}
	c.arm(due)
}

// ackDueAt returns when an acknowledgement is due, zero if none is.
func (r *Room) ackDueAt() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != joined {
		return time.Time{}
	}
	return r.ackDue
}
