package main

import (
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/volley-go/volley/room"
)

// chat is one room. Whether a member came by Volley's client or by Socket.IO's it does not know.
type chat struct {
	room    *room.Room
	all     *lister
	members map[*room.Client]*member
	newest  uint32 // id of a member
	log     []entry
	count   uint64      // of messages since the room began
	listing *room.Timer // nil: the list of rooms is as it was told
}

// member is somebody in the room. When its connection is lost another client may take its place.
type member struct {
	Member
	token  string
	typing *room.Timer // its end; nil: it is not typing
	says   allowance   // of messages
	types  allowance   // of beginning to type, which everybody is told
}

// allowance is how many of something may be done now: at most burst, and perSecond more each second.
type allowance struct {
	used float64
	paid time.Time // until when used is counted
}

// take takes one, if there is one.
func (a *allowance) take(now time.Time) bool {
	a.used = max(0, a.used-perSecond*now.Sub(a.paid).Seconds())
	a.paid = now
	if a.used > burst-1 {
		return false
	}
	a.used++
	return true
}

// entry is a message and whose it is.
type entry struct {
	Message
	token string
}

func newKind(all *lister) *room.Kind[*chat] {
	kind := room.Define("chat", func(r *room.Room) *chat {
		return &chat{room: r, all: all, members: map[*room.Client]*member{}}
	}, room.Config{ServerCreates: true, EmptyFor: -1, Grace: grace, Capacity: 500, Log: 1 << 20})
	room.Handle(kind, say, (*chat).Say)
	room.Handle(kind, rename, (*chat).Rename)
	room.On(kind, isTyping, (*chat).Typing)
	return kind
}

// Join lets everybody in whose name is free. Who is known by a token, and still has a place, takes that.
func (g *chat) Join(c *room.Client) error {
	hello, err := room.Options[Hello](c)
	if err != nil {
		return err
	}
	if len(hello.Token) > longestToken {
		return errors.New("the token is too long")
	}
	if hello.Token == "" {
		hello.Token = rand.Text()
	}
	old, m := g.known(hello.Token)
	name, err := g.free(hello.Name, m)
	if err != nil {
		return err
	}
	if m != nil {
		g.replace(old, c, name)
		return nil
	}
	m = &member{Member: Member{ID: g.idOf(hello.Token), Name: name, Via: via(hello.Via)}, token: hello.Token}
	g.members[c] = m
	g.Resync(c)
	room.Emit(c.Others(), joined, m.Member)
	g.relist()
	return nil
}

// Resync tells a client all that there is to know: a newcomer, or one that was away for longer than the room's log lasts.
func (g *chat) Resync(c *room.Client) {
	m := g.members[c]
	if m == nil {
		return // it was replaced
	}
	history := []Message{}
	for _, e := range g.log[max(0, len(g.log)-shown):] {
		history = append(history, e.Message)
	}
	room.Emit(c, welcome, Welcome{Me: m.ID, Members: g.roll(), History: history, Typing: g.types(), Rooms: g.all.list()})
}

// Leave tells the others.
func (g *chat) Leave(c *room.Client) {
	g.relist()
	m := g.members[c]
	if m == nil {
		return // it was replaced
	}
	g.quiet(m)
	delete(g.members, c)
	room.Emit(c.Others(), left, m.Member)
}

// Dropped says that a connection is lost. The member stays for a while, see newKind.
func (g *chat) Dropped(c *room.Client) { g.away(c, true) }

// Resumed says that it is back. What was said meanwhile comes by itself.
func (g *chat) Resumed(c *room.Client) { g.away(c, false) }

func (g *chat) away(c *room.Client, away bool) {
	m := g.members[c]
	if m == nil || m.Away == away {
		return
	}
	m.Away = away
	g.quiet(m)
	room.Emit(g.room, changed, Change{m.Member, m.Name})
}

// replace gives a member's place to another client of the same person: one whose connection was lost for too long to be resumed,
// or who has opened the page again.
func (g *chat) replace(old, c *room.Client, name string) {
	m := g.members[old]
	delete(g.members, old)
	old.Kick("you are here in another window")
	was := m.Name
	back := m.Away || was != name
	m.Name, m.Away = name, false
	g.members[c] = m
	g.quiet(m)
	g.Resync(c)
	if back {
		room.Emit(c.Others(), changed, Change{m.Member, was})
	}
}

// known returns the member with that token, and its client.
func (g *chat) known(token string) (*room.Client, *member) {
	for c, m := range g.members {
		if m.token == token {
			return c, m
		}
	}
	return nil, nil
}

// idOf is the id that a newcomer has had before, if something is remembered of it, or a new one.
func (g *chat) idOf(token string) uint32 {
	for _, e := range g.log {
		if e.token == token {
			return e.From
		}
	}
	g.newest++
	return g.newest
}

// roll lists the members.
func (g *chat) roll() []Member {
	list := []Member{}
	for _, c := range g.room.Clients() {
		if m := g.members[c]; m != nil {
			list = append(list, m.Member)
		}
	}
	return list
}

// Say says something to everyone, the sender included.
func (g *chat) Say(c *room.Client, d Draft) (uint64, error) {
	m := g.members[c]
	if m == nil {
		return 0, errReplaced
	}
	if len(d.Key) > longestToken {
		return 0, errors.New("the key is too long")
	}
	for _, e := range slices.Backward(g.log) {
		if e.token == m.token && e.Key == d.Key && d.Key != "" {
			return e.ID, nil // it was not sure that it had arrived
		}
	}
	text, err := cleanText(d.Text)
	if err != nil {
		return 0, err
	}
	if !m.says.take(g.room.Now()) {
		return 0, errors.New("too many messages at once; wait a moment")
	}
	g.quiet(m)
	g.count++
	e := entry{Message{g.count, m.ID, m.Name, text, g.room.Now().UnixMilli(), d.Key}, m.token}
	if len(g.log) == remembered {
		g.log = slices.Delete(g.log, 0, 1)
	}
	g.log = append(g.log, e)
	room.Emit(g.room, said, e.Message)
	return e.ID, nil
}

var errReplaced = errors.New("you are here in another window")

// Rename gives a member another name. It costs as much as a message.
func (g *chat) Rename(c *room.Client, to string) (string, error) {
	m := g.members[c]
	if m == nil {
		return "", errReplaced
	}
	name, err := g.free(to, m)
	if err != nil || name == m.Name {
		return name, err
	}
	if !m.says.take(g.room.Now()) {
		return "", errors.New("too many changes at once; wait a moment")
	}
	was := m.Name
	m.Name = name
	room.Emit(g.room, changed, Change{m.Member, was})
	return name, nil
}

// Typing notes that a member is typing, or no longer.
func (g *chat) Typing(c *room.Client, on bool) {
	m := g.members[c]
	switch {
	case m == nil:
	case !on:
		g.quiet(m)
	case m.typing != nil:
		m.typing.Stop()
		m.typing = g.room.After(typingFor, func() { g.quiet(m) })
	case m.types.take(g.room.Now()): // who begins and stops all the time is not worth everybody's attention
		m.typing = g.room.After(typingFor, func() { g.quiet(m) })
		g.tellTyping()
	}
}

// quiet notes that a member is not typing any more.
func (g *chat) quiet(m *member) {
	if m.typing != nil {
		m.typing.Stop()
		m.typing = nil
		g.tellTyping()
	}
}

// tellTyping tells who is typing, of which only the newest counts.
func (g *chat) tellTyping() { room.EmitLatest(g.room, typing, 0, g.types()) }

func (g *chat) types() []uint32 {
	list := []uint32{}
	for _, c := range g.room.Clients() {
		if m := g.members[c]; m != nil && m.typing != nil {
			list = append(list, m.ID)
		}
	}
	return list
}

// relist has everybody told how many are in each room, soon: who comes and goes at the same time is counted at once.
func (g *chat) relist() {
	if g.listing == nil {
		g.listing = g.room.After(relist, func() {
			g.listing = nil
			room.EmitLatest(g.all.kind, rooms, 0, g.all.list())
		})
	}
}
