package room_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
	"github.com/volley-go/volley/tick"
)

// Games that Define has to judge.
type (
	plain      struct{}
	ticks      struct{ plain }
	wrongTick  struct{ plain }
	wrongClose struct{ plain }
	wrongDrain struct{ plain }
	wrongOpen  struct{ plain }
	tik        struct{ plain }
	clsoe      struct{ plain }
	lowerCase  struct{ plain }
	farName    struct{ plain }
	otherTicks struct{ plain }
	onPointer  struct{ plain }
	resumes    struct{ plain }
	wrongSync  struct{ plain }
	resync     struct{ plain }
)

func (plain) Join(*room.Client) error { return nil }
func (plain) Leave(*room.Client)      {}
func (ticks) Tick(tick.Tick)          {}
func (wrongTick) Tick(float64)        {}
func (wrongClose) Close() error       { return nil }
func (wrongDrain) Drain()             {}
func (wrongOpen) Open()               {}
func (tik) Tik(tick.Tick)             {}
func (clsoe) Closed()                 {}
func (lowerCase) TICK(tick.Tick)      {}
func (farName) Reset()                {}
func (otherTicks) Ticks() int         { return 0 }
func (*onPointer) Close()             {}
func (resumes) Resume(*room.Client)   {}
func (wrongSync) Resync() error       { return nil }
func (resync) Resync(*room.Client)    {}
func (resync) Dropped(*room.Client)   {}
func (resync) Resumed(*room.Client)   {}

// define returns what Define panics with; "": it does not.
func define[G room.Game](name string, cfg room.Config) (said string) {
	defer func() {
		if p := recover(); p != nil {
			said = fmt.Sprint(p)
		}
	}()
	room.Define(name, func(*room.Room) G { panic("not called") }, cfg)
	return ""
}

func TestDefineRefusesWhatCannotWork(t *testing.T) {
	for _, c := range []struct{ name, said, want string }{
		{"plain", define[plain]("k", room.Config{}), ""},
		{"ticks", define[ticks]("k", room.Config{Rate: tick.MaxRate}), ""},
		{"a method of a hook's signature and a name of its own", define[farName]("k", room.Config{}), ""},
		{"a method with almost a hook's name and another signature", define[otherTicks]("k", room.Config{}), ""},
		{"no name", define[plain]("", room.Config{}), "kind name"},
		{"long name", define[plain](strings.Repeat("k", 65), room.Config{}), "kind name"},
		{"a name that is not UTF-8", define[plain]("\xff", room.Config{}), "kind name"},
		{"negative rate", define[ticks]("k", room.Config{Rate: -1}), "Rate is -1"},
		{"high rate", define[ticks]("k", room.Config{Rate: tick.MaxRate + 1}), "Rate is 241"},
		{"negative capacity", define[plain]("k", room.Config{Capacity: -1}), "Capacity is -1"},
		{"negative inbox", define[plain]("k", room.Config{Inbox: -1}), "Inbox is -1"},
		{"large log", define[plain]("k", room.Config{Log: 1 << 31}), "Log is 2147483648"},
		{"a rate without Tick", define[plain]("k", room.Config{Rate: 1}), "no method Tick(tick.Tick)"},
		{"Tick without a rate", define[ticks]("k", room.Config{}), "Tick would never run"},
		{"Tick of another signature", define[wrongTick]("k", room.Config{}), "method Tick must be func(tick.Tick)"},
		{"Drain of another signature", define[wrongDrain]("k", room.Config{}), "method Drain must be func(time.Time)"},
		{"Close of another signature", define[wrongClose]("k", room.Config{}), "method Close must be func()"},
		{"Open of another signature", define[wrongOpen]("k", room.Config{}), "method Open must be func() error"},
		{"a letter less", define[tik]("k", room.Config{Rate: 1}), "Tik looks like a misspelt Tick"},
		{"a letter more", define[clsoe]("k", room.Config{}), "Closed looks like a misspelt Close"},
		{"another case", define[lowerCase]("k", room.Config{Rate: 1}), "TICK looks like a misspelt Tick"},
		{"a hook on the pointer of a game that is a value", define[onPointer]("k", room.Config{}), "method Close has a pointer receiver"},
		{"all about connections", define[resync]("k", room.Config{Behind: room.ResyncBehind}), ""},
		{"a letter less of Resumed", define[resumes]("k", room.Config{}), "Resume looks like a misspelt Resumed"},
		{"Resync of another signature", define[wrongSync]("k", room.Config{}), "method Resync must be func(*room.Client)"},
		{"a policy that needs Resync", define[plain]("k", room.Config{Behind: room.ResyncBehind}), "no method Resync(*room.Client)"},
		{"a policy that there is not", define[resync]("k", room.Config{Behind: 3}), "Behind is 3"},
	} {
		if c.want == "" {
			assert.Empty(t, c.said, c.name)
		} else {
			assert.Contains(t, c.said, c.want, c.name)
		}
	}
	assert.PanicsWithValue(t, `room: kind "k": newGame is nil`, func() { room.Define[plain]("k", nil, room.Config{}) })
}

func newPlain(*room.Room) plain { return plain{} }

func TestHandlersAreRefusedEarly(t *testing.T) {
	said := func(f func(k *room.Kind[plain])) (s string) {
		k := room.Define("k", newPlain, room.Config{})
		room.On(k, "taken", func(plain, *room.Client, int) {})
		defer func() { s = fmt.Sprint(recover()) }()
		f(k)
		return ""
	}
	assert.Contains(t, said(func(k *room.Kind[plain]) {
		room.On(k, "taken", func(plain, *room.Client, string) {})
	}), `kind "k" has a handler for "taken" already`)
	assert.Contains(t, said(func(k *room.Kind[plain]) {
		room.Handle(k, "taken", func(plain, *room.Client, int) (int, error) { return 0, nil })
	}), `has a handler for "taken" already`)
	assert.Contains(t, said(func(k *room.Kind[plain]) {
		room.On(k, "bad", func(plain, *room.Client, struct{ C chan int }) {})
	}), `event "bad": codec: type struct { C chan int }`)
	assert.Contains(t, said(func(k *room.Kind[plain]) {
		room.On(k, "", func(plain, *room.Client, int) {})
	}), "event name")
	assert.Contains(t, said(func(k *room.Kind[plain]) {
		roomtest.New(t, k)
		room.On(k, "late", func(plain, *room.Client, int) {})
	}), `handler for "late" comes after the server was made`)
	assert.Contains(t, said(func(k *room.Kind[plain]) { roomtest.New(t, k); roomtest.New(t, k) }), "belongs to a host already")
	assert.Contains(t, said(func(k *room.Kind[plain]) { roomtest.New(t, k, room.Define("k", newPlain, room.Config{})) }),
		`two kinds are called "k"`)
	assert.Contains(t, said(func(k *room.Kind[plain]) { room.NewHost(room.HostConfig{}, k) }), "Scheduler is nil")
	assert.Contains(t, said(func(k *room.Kind[plain]) { room.Emit(k, said2, "x") }), "no server yet")
}

const said2 room.Event[string] = "said"

func TestEventIndicesAreTheSameInEveryRun(t *testing.T) {
	for range 5 {
		k := room.Define("k", newPlain, room.Config{})
		for _, name := range []room.Event[int]{"e", "b", "d", "a", "c"} {
			room.On(k, name, func(plain, *room.Client, int) {})
		}
		assert.Equal(t, []string{"a", "b", "c", "d", "e"}, roomtest.New(t, k).Host.Names().List())
	}
}

func TestNamesBeyondTheTableTravelAsStrings(t *testing.T) {
	s := newSet(t, room.Config{}, nil)
	ann := s.Join("hall", nil)
	r := s.halls[0].room
	const names = 4096
	do(s.Bed, r, func() {
		for i := range names + 10 {
			room.Emit(r, room.Event[int](fmt.Sprint("event", i)), i)
		}
		room.Ask(ann.Client, room.Call[int, int]("request"), 1, 0, func(int, error) {})
	})
	assert.Equal(t, names, s.Host.Names().Len())
	packets := ann.Packets()
	require.Len(t, packets, names+11)
	for i, p := range packets[:names+10] {
		require.Equal(t, fmt.Sprint("event", i), p.Event)
		require.Equal(t, i >= names-1, p.Index == codec.NoIndex, "%d", i) // one place was the handler's
		require.Equal(t, i, roomtest.Decode[int](ann, p.Payload))
	}
	assert.Equal(t, "request", packets[names+10].Event)
	ann.Emit("say", "by its name")
	s.Run(second)
	assert.Equal(t, "1: by its name", roomtest.Last[string](ann, "said"))
}

func TestOneNameWithSeveralTypes(t *testing.T) {
	s := newSet(t, room.Config{}, nil)
	ann := s.Join("hall", nil)
	do(s.Bed, s.halls[0].room, func() {
		room.Emit(ann.Client, room.Event[int]("say"), 1)
		room.Emit(ann.Client, room.Event[string]("say"), "two")
	})
	assert.Equal(t, []any{int64(1), "two"}, roomtest.All[any](ann, "say"))
	assert.Equal(t, []string{"say"}, s.Host.Names().List())
}

func TestCallsFromOutsideOfCallbacksPanic(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate}, nil)
		ann := s.Join("hall", nil)
		r, c := s.halls[0].room, ann.Client
		var timer *room.Timer
		do(s.Bed, r, func() { timer = r.After(second, func() {}) })
		for what, f := range map[string]func(){
			"Emit":       func() { room.Emit(r, said, "x") },
			"Emit self":  func() { room.Emit(c, said, "x") },
			"EmitLatest": func() { room.EmitLatest(c.Others(), said, 1, "x") },
			"Emit set":   func() { room.Emit(r.Only(c), said, "x") },
			"Kick":       func() { c.Kick("x") },
			"Close":      func() { r.Close("x") },
			"Ask":        func() { room.Ask(c, guess, "x", 0, func(int, error) {}) },
			"After":      func() { r.After(1, func() {}) },
			"Every":      func() { r.Every(1, func() {}) },
			"Stop":       func() { timer.Stop() },
		} {
			assert.Panics(t, f, what)
		}
		s.Run(second)
		assert.Nil(t, ann.Left, "the room is none the worse")
	})
}
