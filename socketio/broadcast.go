package socketio

import (
	"fmt"
	"slices"
	"time"
)

// Broadcast is an audience: some sockets of a namespace. Its methods that return one leave it as it is. They may be called from
// any goroutine.
type Broadcast struct {
	ns       *Namespace
	one      *Socket // that socket alone
	but      *Socket // not that one
	rooms    []string
	except   []string
	volatile bool
}

// To adds rooms: the audience is of the sockets in any of them.
func (b *Broadcast) To(rooms ...string) *Broadcast {
	c := *b
	c.rooms = slices.Concat(b.rooms, rooms)
	return &c
}

// In is To.
func (b *Broadcast) In(rooms ...string) *Broadcast { return b.To(rooms...) }

// Except takes out the sockets in any of the rooms.
func (b *Broadcast) Except(rooms ...string) *Broadcast {
	c := *b
	c.except = slices.Concat(b.except, rooms)
	return &c
}

// Volatile is the same audience, for events that are not sent to who cannot take them at once.
func (b *Broadcast) Volatile() *Broadcast {
	c := *b
	c.volatile = true
	return &c
}

// everybody reports whether no rooms narrow the audience down.
func (b *Broadcast) everybody() bool { return b.one == nil && len(b.rooms) == 0 && len(b.except) == 0 }

// sockets are those of the audience at this moment, those that are waited for included. Under the namespace's mu.
func (b *Broadcast) sockets() []*Socket {
	if b.one != nil {
		if b.one.m.gone.Load() {
			return nil
		}
		return []*Socket{b.one}
	}
	var list []*Socket
	in := map[*Socket]struct{}{}
	add := func(s *Socket) {
		if _, twice := in[s]; twice || s == b.but || s.in(b.except) {
			return
		}
		in[s] = struct{}{}
		list = append(list, s)
	}
	for _, name := range b.rooms {
		if s := b.ns.sockets[name]; s != nil {
			add(s)
		}
		for s := range b.ns.rooms[name] {
			add(s)
		}
	}
	if len(b.rooms) == 0 {
		for _, s := range b.ns.sockets {
			add(s)
		}
	}
	return list
}

// in reports whether a socket is in any of the rooms. Under the namespace's mu.
func (s *Socket) in(rooms []string) bool {
	for _, name := range rooms {
		if _, ok := s.rooms[name]; ok || name == s.m.id {
			return true
		}
	}
	return false
}

// Emit sends an event to the audience. It panics as Namespace.Emit does.
func (b *Broadcast) Emit(event string, args ...any) {
	e := emission{id: noID, volatile: b.volatile, data: mustEncode(event, args)}
	b.ns.mu.Lock()
	if b.everybody() {
		if e.all = true; b.but != nil {
			e.except = []*Socket{b.but}
		}
	} else if e.to = b.sockets(); len(e.to) == 0 {
		b.ns.mu.Unlock()
		return
	}
	wake, _ := b.ns.put(e)
	b.ns.mu.Unlock()
	b.ns.wake(wake)
}

// mustEncode encodes an event.
func mustEncode(event string, args []any) []byte {
	data, err := appendEvent(nil, event, args)
	if err == nil && len(data) > maxEvent {
		err = fmt.Errorf("socketio: event %q has %d bytes, %d are allowed", event, len(data), maxEvent)
	}
	if err != nil {
		panic(err.Error())
	}
	return data
}

// Ask sends an event to the audience and waits for the acknowledgements of all of it: done runs among the namespace's callbacks,
// with the replies, in no order. If some do not come in time the error is ErrTimeout, and the replies are those that came. A
// socket that is gone before it replies is not waited for; if it was the only one, the error is ErrDisconnected.
func (b *Broadcast) Ask(timeout time.Duration, event string, done func(replies []*Reply, err error), args ...any) {
	data := mustEncode(event, args)
	ns := b.ns
	ns.mu.Lock()
	list := b.sockets()
	list = slices.DeleteFunc(list, func(s *Socket) bool { return !s.connected })
	ns.lastAsk++
	a := &ask{id: ns.lastAsk, timeout: timeout, done: done, waiting: map[*Socket]struct{}{}, one: b.one != nil}
	for _, s := range list {
		a.waiting[s] = struct{}{}
	}
	if len(list) == 0 {
		ns.mu.Unlock()
		ns.Post(func() {
			if a.one {
				done(nil, ErrDisconnected)
			} else {
				done(nil, nil)
			}
		})
		return
	}
	wake, taken := ns.put(emission{to: list, id: a.id, data: data, ask: a})
	if taken {
		ns.asks[a.id] = a
	}
	ns.mu.Unlock()
	ns.wake(wake)
	if !taken { // nobody will be asked
		ns.Post(func() { done(nil, ErrTimeout) })
	}
}

// Join puts the audience's sockets into rooms.
func (b *Broadcast) Join(rooms ...string) {
	b.ns.mu.Lock()
	defer b.ns.mu.Unlock()
	for _, s := range b.sockets() {
		s.join(rooms)
	}
}

// Leave takes the audience's sockets out of rooms.
func (b *Broadcast) Leave(rooms ...string) {
	b.ns.mu.Lock()
	defer b.ns.mu.Unlock()
	for _, s := range b.sockets() {
		s.leave(rooms)
	}
}

// Sockets returns the audience's sockets that are connected, in no order.
func (b *Broadcast) Sockets() []*Socket {
	b.ns.mu.Lock()
	defer b.ns.mu.Unlock()
	return slices.DeleteFunc(b.sockets(), func(s *Socket) bool { return !s.connected })
}

// Disconnect disconnects the audience's sockets. See Socket.Disconnect.
func (b *Broadcast) Disconnect(hangUp bool) {
	b.ns.mu.Lock()
	list := b.sockets()
	for _, s := range list {
		s.m.leaving(hangUp)
	}
	wake, _ := b.ns.put(emission{to: list, leave: true})
	b.ns.mu.Unlock()
	b.ns.wake(wake)
}
