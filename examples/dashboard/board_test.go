package main

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
	"github.com/volley-go/volley/tick"
)

// watched is a board on a virtual clock, over a server that the test makes up.
type watched struct {
	*roomtest.Bed
	*lab
	t     *testing.T
	room  *room.Room
	board *board

	asked     []Ask
	disturbed []string
	shown     Demo
}

func newWatched(t *testing.T) *watched {
	w := &watched{t: t, lab: newLab(t), shown: Demo{Rooms: 1, Bots: 2, MaxRooms: maxRooms, MaxBots: maxBots}}
	show := &show{
		ask:     func(a Ask) { w.asked = append(w.asked, a); w.shown.Rooms, w.shown.Bots = a.Rooms, a.Bots },
		demo:    func() Demo { return w.shown },
		disturb: func(what string) { w.disturbed = append(w.disturbed, what) },
	}
	kind := newBoards(func(r *room.Room) *board {
		w.board = newBoard(r, NewSampler(w.sources(), r.Now()), show)
		return w.board
	})
	w.Bed = roomtest.New(t, kind)
	r, err := kind.Create(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.room = r
	w.Run(time.Second / boardRate * 5 / 2) // between two ticks; the first sample is nobody's
	return w
}

// samples lets n samples be taken.
func (w *watched) samples(n int) { w.Run(time.Duration(n) * time.Second / boardRate) }

func (w *watched) join() *roomtest.Player {
	w.t.Helper()
	p := w.Join("dashboard", nil)
	if p.Client.Room() != w.room {
		w.t.Fatal("it is another room")
	}
	return p
}

// picture is what a page knows that has heard these changes.
func picture(changes ...Change) map[string]float64 {
	known := map[string]float64{}
	for _, c := range changes {
		for name, v := range c.Values {
			if v == nil {
				delete(known, name)
			} else {
				known[name] = *v
			}
		}
	}
	return known
}

func TestANewcomerIsToldWhatHasBeen(t *testing.T) {
	w := newWatched(t)
	w.server.Net.Open = 5
	w.samples(10)
	w.server.Net.Open = 6
	w.server.Net.Lost = 2
	w.samples(2)
	p := w.join()
	h := roomtest.Last(p, history)
	if h.Period != 500 || h.Span != 120_000 || h.Cores < 1 || h.Go == "" || h.Started == 0 {
		t.Errorf("the server is told as %+v", h)
	}
	if len(h.Changes) < 3 || len(h.Changes[0].Values) != len(figures) {
		t.Fatalf("it is told %+v; the first should be everything", h.Changes)
	}
	if got := picture(h.Changes...); got["conns"] != 6 || !maps.Equal(got, picture(Change{Values: w.values()})) {
		t.Errorf("it knows %v", got)
	}
	if got := roomtest.All(p, count); !slices.Equal(got, []Count{{"connection closed", "without a word", 0, 2}}) {
		t.Errorf("of counters it hears %v", got)
	}
	if got := roomtest.Last(p, demo); got != w.shown {
		t.Errorf("of the demo it hears %+v", got)
	}
}

// values are those that the board has told last.
func (w *watched) values() (v map[string]*float64) {
	w.t.Helper()
	w.inside(func(b *board) { v = maps.Clone(b.values) })
	return v
}

// inside runs f in the board's room.
func (w *watched) inside(f func(b *board)) {
	w.t.Helper()
	done := false
	w.room.Post(func() { f(w.board); done = true })
	if w.samples(1); !done {
		w.t.Fatal("the room did not run")
	}
}

func TestOnlyWhatChangesIsTold(t *testing.T) {
	w := newWatched(t)
	p := w.join()
	w.samples(4) // ticks of the board itself settle
	p.Forget()
	w.samples(10)
	if all := roomtest.All(p, change); len(all) > 0 {
		t.Errorf("nothing happened, and it hears %+v", all)
	}
	w.server.Net.Open, w.io.Sessions = 3, 1
	w.samples(1)
	w.server.Net.Open = 4
	w.samples(5)
	all := roomtest.All(p, change)
	if len(all) != 2 {
		t.Fatalf("it hears %+v", all)
	}
	if got := picture(all[0]); !maps.Equal(got, map[string]float64{"conns": 3, "sio": 1}) {
		t.Errorf("first it hears %v", got)
	}
	if got := picture(all[1]); !maps.Equal(got, map[string]float64{"conns": 4}) {
		t.Errorf("then it hears %v", got)
	}
	if passed := all[1].At - all[0].At; passed < 498 || passed > 502 || all[1].Since != all[0].At {
		t.Errorf("%d ms lie between %+v and %+v", passed, all[0], all[1])
	}
}

func TestAFigureThatIsNotKnownAnyMore(t *testing.T) {
	w := newWatched(t)
	p := w.join()
	w.samples(3)
	w.process.Pauses = pauses(1)
	w.samples(1) // before it there was none to compare with
	w.samples(1)
	if got := picture(roomtest.All(p, change)...); got["pause"] != 0 {
		t.Errorf("it knows %v", got)
	}
	w.process.Pauses = nil
	w.samples(1)
	last := roomtest.Last(p, change)
	if v, told := last.Values["pause"]; !told || v != nil {
		t.Errorf("it hears %+v", last)
	}
}

// The history of a newcomer is what somebody has heard who was there all the time, of the last two minutes.
func TestTheHistoryIsTwoMinutes(t *testing.T) {
	w := newWatched(t)
	witness := w.join()
	random := rand.New(rand.NewPCG(1, 2))
	for range 2 * int(span.Seconds()) * boardRate {
		if random.IntN(3) > 0 {
			w.server.Net.Open = random.IntN(4)
		}
		if random.IntN(20) == 0 {
			w.players = []int{random.IntN(9)}
		}
		w.samples(1)
	}
	heard := append(roomtest.Last(witness, history).Changes, roomtest.All(witness, change)...)
	told := roomtest.Last(w.join(), history).Changes
	if got, want := picture(told...), picture(heard...); !maps.Equal(got, want) {
		t.Errorf("it knows %v; want %v", got, want)
	}
	newest := heard[len(heard)-1].At
	if told[len(told)-1].At != newest || told[0].At > newest-span.Milliseconds() || told[1].At <= newest-span.Milliseconds() {
		t.Errorf("it is told of %d to %d ms before the newest; the oldest but one is %d", newest-told[0].At,
			newest-told[len(told)-1].At, newest-told[1].At)
	}
	for i, c := range heard { // at each moment both know the same
		if c.At < told[0].At {
			continue
		}
		n, _ := slices.BinarySearchFunc(told, c.At+1, func(c Change, at int64) int { return int(c.At - at) })
		if got, want := picture(told[:n]...), picture(heard[:i+1]...); !maps.Equal(got, want) {
			t.Fatalf("%d ms before the newest it knows %v; want %v", newest-c.At, got, want)
		}
	}
}

func TestOfCountersOnlyTheNewestCounts(t *testing.T) {
	w := newWatched(t)
	p := w.join()
	w.samples(2)
	p.Forget()
	p.Stall(1)
	for n := range uint64(20) {
		w.server.Net.Lost = n + 1
		w.server.Net.Closed = map[codec.Code]uint64{codec.Normal: 2 * (n + 1)}
		w.samples(1)
	}
	p.Stall(0)
	w.samples(1)
	want := []Count{{"connection closed", "normal", 1000, 40}, {"connection closed", "without a word", 0, 20}}
	if got := roomtest.All(p, count); !slices.Equal(got, want) {
		t.Errorf("it hears %v; want %v", got, want)
	}
}

// A change says when the sample before it was taken, whether that had news or not: so nobody has to guess what was in between.
func TestAChangeSaysSinceWhen(t *testing.T) {
	w := newWatched(t)
	p := w.join()
	w.samples(4)
	before := w.board.at
	w.samples(3)
	p.Forget()
	w.server.Net.Open = 8
	w.samples(2)
	all := roomtest.All(p, change)
	if len(all) != 1 || all[0].At-all[0].Since < 498 || all[0].At-all[0].Since > 502 || all[0].Since-before.UnixMilli() < 1498 {
		t.Errorf("after three samples without news, the last at %d, it hears %+v", before.UnixMilli()+1500, all)
	}

	p.Forget()
	w.inside(func(b *board) { // an overloaded server skips
		w.server.Net.Open = 9
		b.Tick(tick.Tick{N: b.room.Tick(), Late: 4 * time.Second})
	})
	all = roomtest.All(p, change)
	if len(all) == 0 || all[0].At-all[0].Since < 4400 || picture(all[0])["conns"] != 9 {
		t.Errorf("after a sample that came late it hears %+v", all)
	}
}

func TestWhoWasTooSlowIsToldEverything(t *testing.T) {
	w := newWatched(t)
	p := w.join()
	w.samples(1)
	p.Stall(1)
	for n := range 25_000 { // the log is long
		w.server.Net.Open = n
		w.process.Heap = float64(n) * 1e6
		w.samples(1)
	}
	p.Forget()
	p.Stall(0)
	w.samples(2)
	if p.Resyncs != 1 || p.Left != nil {
		t.Fatalf("%d fresh beginnings, left: %v", p.Resyncs, p.Left)
	}
	h := roomtest.Last(p, history)
	if got := picture(h.Changes...); got["conns"] != float64(w.server.Net.Open) {
		t.Errorf("it knows %v; want %d connections", got, w.server.Net.Open)
	}
}

func TestTheDemoIsAskedForByAnyone(t *testing.T) {
	w := newWatched(t)
	ann, ben := w.join(), w.join()
	w.samples(1)
	ann.Forget()
	ben.Forget()
	roomtest.Emit(ann, ask, Ask{7, 3})
	roomtest.Emit(ben, disturb, hold)
	w.samples(1)
	if !slices.Equal(w.asked, []Ask{{7, 3}}) || !slices.Equal(w.disturbed, []string{hold}) {
		t.Errorf("asked for %v, disturbed by %v", w.asked, w.disturbed)
	}
	for _, p := range []*roomtest.Player{ann, ben} {
		if got := roomtest.All(p, demo); len(got) != 1 || got[0] != w.shown || got[0].Rooms != 7 {
			t.Errorf("it hears %+v; want %+v once", got, w.shown)
		}
	}
	w.shown.Watch = "abc" // by itself
	w.samples(1)
	if got := roomtest.Last(ben, demo); got != w.shown {
		t.Errorf("it hears %+v; want %+v", got, w.shown)
	}
}

func TestTheBoardGoesOnAlone(t *testing.T) {
	w := newWatched(t)
	p := w.join()
	p.Leave()
	w.Run(time.Hour)
	if got := roomtest.Last(w.join(), history); len(got.Changes) == 0 {
		t.Error("it remembers nothing")
	}
	other := w.TryJoin(codec.Create, "dashboard", nil, nil)
	if other.Left == nil || other.Left.Code != codec.NoSuchRoom {
		t.Errorf("somebody made a board: %v", other.Left)
	}
}
