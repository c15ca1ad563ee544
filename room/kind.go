package room

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/volley-go/volley/tick"
)

// Game is what a kind's struct must have. All methods run on the room's owner.
//
// Optional hooks: Tick(tick.Tick) runs each tick, and a kind with a rate must have it; Open() error runs before the first
// join, and its error refuses it; Close() runs last.
//
// Drain(deadline time.Time) says that the server is about to end: the room goes on, without newcomers, until the game closes it,
// everyone has left, or the deadline (in the room's own time, as Room.Now). A room whose game has no Drain ends at once.
//
// Dropped(*Client) says that a client's connection was lost. It keeps its seat, and what is emitted to it, for Config.Grace,
// within which Resumed(*Client) follows, or Leave. A connection that takes over from one that still lives is neither.
// Resync(*Client) is for a client that has been away, or slow, for longer than Config.Log lasts: what it knows is void, and the
// game emits to it what a newcomer would need.
//
// A method with such a name but another signature is an error at Define.
type Game interface {
	// Join admits c, or refuses it with an error whose text c is told. What it emits to c arrives before anything else of
	// the room.
	Join(c *Client) error
	// Leave says that c is gone or going: it is in the room for the last time.
	Leave(c *Client)
}

// Config is how the rooms of a kind run. The zero value is an event-driven room without a limit on clients that closes
// when the last one leaves.
type Config struct {
	// Rate is the number of ticks per second, from 1 to tick.MaxRate. 0: event-driven, the room runs when something arrives.
	Rate int
	// Overrun says what happens to ticks that could not run in time. The zero value skips them.
	Overrun tick.Policy
	// Capacity is how many clients a room holds. 0: no limit.
	Capacity int
	// Private rooms are found by their id alone. It is the value that new rooms begin with.
	Private bool
	// ServerCreates: rooms are made by Kind.Create alone, never by a client's wish.
	ServerCreates bool
	// EmptyFor is how long a room stays open after its last client has left. 0: not at all. Negative: until it is closed.
	EmptyFor time.Duration
	// Blocking says that callbacks may block (files, databases), so they never run on a poller's goroutine. Without it,
	// rooms may run where their input arrives, until one has blocked for long.
	Blocking bool
	// Inbox is how many bytes of clients' packets may wait for a room's next tick, each packet counted as 64 bytes more. A
	// client of which more than a quarter of that waits is closed with codec.InboxFull; when everybody's packets together
	// fill it, so is who sends more while a 64th of it is its own. 0: 512 KiB.
	Inbox int
	// Grace is how long a client whose connection was lost keeps its seat, in the room's time. 0: 15 s. Negative: a lost
	// connection is a leave.
	Grace time.Duration
	// Log is how many bytes of earlier ticks a room keeps for clients whose connections are slow or lost. 0: 64 KiB, and 4 KiB
	// more for each client in the room.
	Log int
	// Behind says what becomes of a client that is too slow for that. 0: ResyncBehind if the game has a method Resync, else
	// CloseBehind.
	Behind Behind
	// Seed makes the room's random numbers repeatable. 0: seeded at random.
	Seed uint64
}

// Behind is what becomes of a client whose connection is slower than the room's log is long.
type Behind uint8

const (
	_ Behind = iota
	// ResyncBehind: when its connection is ready again, the client forgets what it knows, and the game's Resync tells it anew.
	ResyncBehind
	// CloseBehind: its connection is closed with codec.SlowConsumer, and it leaves.
	CloseBehind
)

const (
	defaultLog   = 64 << 10
	defaultGrace = 15 * time.Second
)

func (c Config) withDefaults(h hooks) Config {
	if c.Inbox <= 0 {
		c.Inbox = 512 << 10
	}
	if c.Grace == 0 {
		c.Grace = defaultGrace
	}
	if c.Behind == 0 {
		c.Behind = CloseBehind
		if h.resync {
			c.Behind = ResyncBehind
		}
	}
	return c
}

// maxBuffer is the largest Inbox or Log. Places in them are 32-bit numbers.
const maxBuffer = 1 << 30

func (c Config) check(h hooks) error {
	switch {
	case c.Behind > CloseBehind:
		return fmt.Errorf("Behind is %d; it must be ResyncBehind or CloseBehind", c.Behind)
	case c.Behind == ResyncBehind && !h.resync:
		return errors.New("Behind is ResyncBehind, but it has no method Resync(*room.Client); add one")
	case c.Rate < 0 || c.Rate > tick.MaxRate:
		return fmt.Errorf("Rate is %d; it must be from 0 (event-driven) to %d", c.Rate, tick.MaxRate)
	case c.Capacity < 0:
		return fmt.Errorf("Capacity is %d; 0 means no limit", c.Capacity)
	case c.Inbox < 0 || c.Inbox > maxBuffer:
		return fmt.Errorf("Inbox is %d; it must be from 0 (512 KiB) to %d bytes", c.Inbox, maxBuffer)
	case c.Log < 0 || c.Log > maxBuffer:
		return fmt.Errorf("Log is %d; it must be from 0 (64 KiB and 4 KiB for each client) to %d bytes", c.Log, maxBuffer)
	}
	return nil
}

// Kind is a sort of room: a game's constructor, its handlers and its Config. It belongs to one host. As an [Audience] it
// is every client of every room of the kind.
type Kind[G Game] struct{ k *kind }

// AnyKind is a *Kind of any game.
type AnyKind interface{ base() *kind }

func (k *Kind[G]) base() *kind { return k.k }

// Name returns the name that clients join by.
func (k *Kind[G]) Name() string { return k.k.name }

// kind is a Kind without its type parameter.
type kind struct {
	// Static after construction.
	name    string
	cfg     Config
	newGame func(*Room) Game
	hooks   hooks
	metrics tick.Metrics

	// Written by On and Handle before a host takes the kind, read-only from then on.
	host     *Host
	handlers map[string]*handler
	byIndex  []*handler // by the index of the event's name; nil where there is none

	// Copied on write.
	slotsMu sync.Mutex
	slots   atomic.Pointer[map[string]*slot]

	directory directory
}

// Define makes a kind called name. newGame runs for each new room, on its owner; it keeps the *Room if the game needs it.
// Define panics on a Config or a game that cannot work, as http.ServeMux does on a bad pattern.
func Define[G Game](name string, newGame func(r *Room) G, cfg Config) *Kind[G] {
	checkName("kind", name)
	hooks, err := findHooks(reflect.TypeFor[G]())
	if err == nil {
		err = cfg.check(hooks)
	}
	if err == nil && cfg.Rate > 0 && !hooks.tick {
		err = errors.New("it has a Rate but no method Tick(tick.Tick); add one, or set Rate to 0")
	}
	if err == nil && cfg.Rate == 0 && hooks.tick {
		err = errors.New("it has a method Tick but no Rate, so Tick would never run; set Rate, or remove Tick")
	}
	if err == nil && newGame == nil {
		err = errors.New("newGame is nil")
	}
	if err != nil {
		panic(fmt.Sprintf("room: kind %q: %v", name, err))
	}
	k := &kind{
		name:     name,
		cfg:      cfg.withDefaults(hooks),
		newGame:  func(r *Room) Game { return newGame(r) },
		hooks:    hooks,
		handlers: map[string]*handler{},
	}
	k.slots.Store(&map[string]*slot{})
	k.directory.byID = map[string]*Room{}
	return &Kind[G]{k}
}

// freeze gives the kind to a host: every handler's event gets its index.
func (k *kind) freeze(h *Host) {
	if k.host != nil {
		panic(fmt.Sprintf("room: kind %q belongs to a host already; define one for each server", k.name))
	}
	k.host = h
	for _, name := range slices.Sorted(maps.Keys(k.handlers)) { // the same indices in every run
		handler := k.handlers[name]
		index := k.addEmitter(name, nil).index
		if index < 0 {
			continue // the table is full: the name itself will do
		}
		for index >= len(k.byIndex) {
			k.byIndex = append(k.byIndex, nil)
		}
		k.byIndex[index] = handler
	}
}
