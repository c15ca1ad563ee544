package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room/roomtest"
)

// bench is the whole chat on a virtual clock.
type bench struct {
	*roomtest.Bed
	t    *testing.T
	list *lister
}

func newBench(t *testing.T) *bench {
	list := newLister()
	b := &bench{roomtest.New(t, list.kind), t, list}
	if err := list.open(); err != nil {
		t.Fatal(err)
	}
	b.Settle()
	return b
}

// try joins a room by its name.
func (b *bench) try(room string, hello Hello) *roomtest.Player {
	b.t.Helper()
	for _, l := range b.list.list() {
		if l.Name == room {
			return b.TryJoin(codec.JoinByID, l.ID, hello, nil)
		}
	}
	b.t.Fatalf("there is no room %s", room)
	return nil
}

// join joins the lobby, with a token that is the name backwards.
func (b *bench) join(name string) *roomtest.Player {
	b.t.Helper()
	p := b.try("lobby", Hello{Name: name, Token: tokenOf(name)})
	if p.Left != nil {
		b.t.Fatalf("%s: %v", name, p.Left)
	}
	return p
}

func tokenOf(name string) string {
	runes := []rune(name)
	slices.Reverse(runes)
	return string(runes)
}

// say says something and returns its number, or why it was refused.
func (b *bench) say(p *roomtest.Player, key, text string) (uint64, error) {
	b.t.Helper()
	id := p.Request(string(say), Draft{key, text})
	b.Settle()
	return roomtest.Reply[uint64](p, id)
}

// mustSay says something.
func (b *bench) mustSay(p *roomtest.Player, text string) {
	b.t.Helper()
	if _, err := b.say(p, "", text); err != nil {
		b.t.Fatalf("%s: %v", text, err)
	}
}

func heard(p *roomtest.Player) (list []string) {
	for _, m := range roomtest.All(p, said) {
		list = append(list, m.Name+": "+m.Text)
	}
	return list
}

func namesOf(list []Member) (names []string) {
	for _, m := range list {
		names = append(names, m.Name)
	}
	return names
}

func want[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v; want %v", what, got, want)
	}
}

func TestTalk(t *testing.T) {
	b := newBench(t)
	ann, ben := b.join("Ann"), b.join("Ben")
	b.mustSay(ann, "  Hello \r\n\r\n\r\n\r\nBen! ")
	b.mustSay(ben, "Hi")
	for _, p := range []*roomtest.Player{ann, ben} {
		want(t, "heard", heard(p), []string{"Ann: Hello\n\nBen!", "Ben: Hi"})
	}
	m := roomtest.Last(ben, said)
	if m.ID != 2 || m.From != roomtest.Last(ben, welcome).Me || m.At == 0 {
		t.Errorf("Ben hears %+v of himself", m)
	}
	for text, why := range map[string]string{
		" \n ":                    "nothing in it",
		"\u202e\u200b":            "nothing in it",
		strings.Repeat("ä", 1001): "at most 1000 characters; this one has 1001",
	} {
		if _, err := b.say(ann, "k", text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%.10q: %v; want %s", text, err, why)
		}
	}
	b.mustSay(ann, strings.Repeat("ä", 1000))
	if len(heard(ben)) != 3 {
		t.Errorf("Ben has heard %d messages", len(heard(ben)))
	}
}

func TestHistory(t *testing.T) {
	b := newBench(t)
	ann := b.join("Ann")
	for i := range 2*remembered + 1 {
		b.mustSay(ann, fmt.Sprint(i))
		b.Run(time.Second)
	}
	w := roomtest.Last(b.join("Ben"), welcome)
	if len(w.History) != shown || w.History[0].Text != "351" || w.History[shown-1].Text != "400" {
		t.Errorf("a newcomer gets %d messages", len(w.History))
	}
	want(t, "members", namesOf(w.Members), []string{"Ann", "Ben"})
}

func TestNobodySaysTooMuch(t *testing.T) {
	b := newBench(t)
	ann := b.join("Ann")
	for range burst {
		b.mustSay(ann, "spam")
	}
	if _, err := b.say(ann, "", "spam"); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("one more: %v", err)
	}
	b.Run(time.Second)
	for range perSecond {
		b.mustSay(ann, "spam")
	}
	if _, err := b.say(ann, "", "spam"); err == nil {
		t.Error("a second has brought too much")
	}
}

func TestASecondTimeIsTheSameMessage(t *testing.T) {
	b := newBench(t)
	ann, ben := b.join("Ann"), b.join("Ben")
	first, err := b.say(ann, "key", "once")
	again, err2 := b.say(ann, "key", "once")
	if err != nil || err2 != nil || first != again {
		t.Errorf("%d, %v; then %d, %v", first, err, again, err2)
	}
	if other, err := b.say(ben, "key", "another's"); err != nil || other == first {
		t.Errorf("Ben's: %d, %v", other, err)
	}
	want(t, "heard", heard(ben), []string{"Ann: once", "Ben: another's"})

	ann.Cut(0) // and the seat is given up, so that she comes as somebody new
	b.Run(grace + time.Second)
	if ann.Left == nil {
		t.Fatal("Ann has a seat without end")
	}
	before := roomtest.Last(ann, welcome).Me
	ann = b.join("Ann")
	if again, err := b.say(ann, "key", "once"); err != nil || again != first {
		t.Errorf("anew: %d, %v", again, err)
	}
	want(t, "Ann's id", roomtest.Last(ann, welcome).Me, before)
}

func TestNamesAreChecked(t *testing.T) {
	b := newBench(t)
	ann := b.join("Ann")
	for name, why := range map[string]string{
		"":                      "choose a name",
		" \u200b\u202e\u3164 ":  "choose a name",
		"aNN":                   "Ann is here already",
		"An\u200bn":             "Ann is here already",
		strings.Repeat("x", 21): "at most 20",
	} {
		p := b.try("lobby", Hello{Name: name})
		if p.Left == nil || p.Left.Code != codec.JoinRefused || !strings.Contains(p.Left.Reason, why) {
			t.Errorf("%q: %v; want %s", name, p.Left, why)
		}
	}
	if p := b.try("lobby", Hello{Name: "Ben", Token: strings.Repeat("x", longestToken+1)}); p.Left == nil {
		t.Error("a long token is let in")
	}
	if p := b.try("games", Hello{Name: "Ann"}); p.Left != nil {
		t.Errorf("Ann in another room: %v", p.Left)
	}
	ben := b.join("  Ben\t Ten  👩\u200d🚀 ")
	want(t, "roll", namesOf(roomtest.Last(ben, welcome).Members), []string{"Ann", "Ben Ten 👩\u200d🚀"})

	reply := func(to string) (string, error) {
		id := ann.Request(string(rename), to)
		b.Settle()
		return roomtest.Reply[string](ann, id)
	}
	if _, err := reply("ben ten 👩\u200d🚀"); err == nil {
		t.Error("Ann may be called as Ben")
	}
	if name, err := reply(" ann "); err != nil || name != "ann" {
		t.Errorf("Ann is %q, %v", name, err)
	}
	if c := roomtest.Last(ben, changed); c.Was != "Ann" || c.Member.Name != "ann" {
		t.Errorf("Ben is told %+v", c)
	}
	b.mustSay(ann, "it is me")
	want(t, "heard", heard(ben), []string{"ann: it is me"})
}

func TestTyping(t *testing.T) {
	b := newBench(t)
	ann, ben := b.join("Ann"), b.join("Ben")
	me := roomtest.Last(ann, welcome).Me
	typists := func() []uint32 { b.Settle(); return roomtest.Last(ben, typing) }
	roomtest.Emit(ann, isTyping, true)
	want(t, "typing", typists(), []uint32{me})
	b.Run(typingFor - time.Second)
	roomtest.Emit(ann, isTyping, true)
	b.Run(typingFor - time.Second)
	want(t, "still", typists(), []uint32{me})
	b.Run(2 * time.Second)
	want(t, "no longer", typists(), []uint32{})
	for _, end := range []func(){
		func() { roomtest.Emit(ann, isTyping, false) },
		func() { b.mustSay(ann, "done") },
		func() { ann.Cut(0) },
	} {
		roomtest.Emit(ann, isTyping, true)
		want(t, "again", typists(), []uint32{me})
		end()
		want(t, "at the end", typists(), []uint32{})
	}
	ben.Forget()
	for range 10 * burst {
		roomtest.Emit(ben, isTyping, true)
		b.Settle()
		roomtest.Emit(ben, isTyping, false)
		b.Settle()
	}
	if n := len(roomtest.All(ben, typing)); n > 2*burst {
		t.Errorf("somebody has everybody told %d times", n)
	}
}

func TestPresence(t *testing.T) {
	b := newBench(t)
	ann, ben := b.join("Ann"), b.join("Ben")
	want(t, "joined", roomtest.Last(ann, joined).Name, "Ben")
	ben.Cut(0)
	b.Settle()
	if c := roomtest.Last(ann, changed); c.Member.Name != "Ben" || !c.Member.Away {
		t.Errorf("Ann is told %+v", c)
	}
	b.mustSay(ann, "where are you?")
	b.Run(grace / 2)
	ben.Return()
	b.Settle()
	if c := roomtest.Last(ann, changed); c.Member.Away {
		t.Errorf("Ann is told %+v", c)
	}
	want(t, "what Ben missed", heard(ben), []string{"Ann: where are you?"})
	ben.Leave()
	b.Settle()
	want(t, "left", roomtest.Last(ann, left).Name, "Ben")
	b.mustSay(ann, "and now I am alone")
}

// Somebody who comes with the token of a member is that member.
func TestAnotherWindow(t *testing.T) {
	b := newBench(t)
	ann, ben := b.join("Ann"), b.join("Ben")
	ann.Forget()
	id := roomtest.Last(ben, welcome).Me
	ben.Cut(0)
	b.Settle()
	again := b.join("Ben")
	b.Settle()
	if ben.Left == nil || ben.Left.Code != codec.Kicked {
		t.Errorf("the old window: %v", ben.Left)
	}
	w := roomtest.Last(again, welcome)
	want(t, "id", w.Me, id)
	want(t, "roll", namesOf(w.Members), []string{"Ann", "Ben"})
	if n := len(roomtest.All(ann, left)) + len(roomtest.All(ann, joined)); n > 0 {
		t.Errorf("Ann is told that somebody came or went")
	}
	if c := roomtest.Last(ann, changed); c.Member.Away {
		t.Errorf("Ann is told %+v", c)
	}
	b.mustSay(again, "here")
	want(t, "heard", heard(ann), []string{"Ben: here"})

	third := b.try("lobby", Hello{Name: "Benny", Token: tokenOf("Ben")})
	b.Settle()
	if again.Left == nil || third.Left != nil {
		t.Errorf("the second window: %v, the third: %v", again.Left, third.Left)
	}
	want(t, "renamed", roomtest.Last(ann, changed).Was, "Ben")
}

func TestTheListOfRooms(t *testing.T) {
	b := newBench(t)
	counts := func(list []Listed) (all []string) {
		for _, l := range list {
			all = append(all, fmt.Sprint(l.Name, " ", l.Members))
		}
		return all
	}
	ann := b.join("Ann")
	want(t, "at first", counts(roomtest.Last(ann, welcome).Rooms), []string{"lobby 1", "games 0", "random 0", "help 0"})
	ben := b.try("games", Hello{Name: "Ben"})
	b.Run(time.Second)
	want(t, "with Ben", counts(roomtest.Last(ann, rooms)), []string{"lobby 1", "games 1", "random 0", "help 0"})
	ben.Leave()
	b.Run(time.Second)
	want(t, "without", counts(roomtest.Last(ann, rooms)), []string{"lobby 1", "games 0", "random 0", "help 0"})
	ann.Leave()
	b.Run(time.Hour)
	want(t, "in the end", counts(b.list.list()), []string{"lobby 0", "games 0", "random 0", "help 0"})
	if p := b.TryJoin(codec.JoinOrCreate, "chat", Hello{Name: "Cat"}, nil); p.Left != nil {
		t.Errorf("a client that does not choose: %v", p.Left)
	}
	if p := b.TryJoin(codec.Create, "chat", Hello{Name: "Dan"}, nil); p.Left == nil {
		t.Error("a client has made a room")
	}
}
