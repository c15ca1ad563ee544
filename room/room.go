package room

import (
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/tick"
)

// Room is one running game. Its methods belong in the room's callbacks, but for those that say otherwise.
type Room struct {
	// Static after construction.
	kind    *kind
	id      string
	options []byte // the creator's: one checked msgpack value
	opened  time.Duration
	began   time.Time
	forJoin bool // made for a join, so it closes even if nobody gets in

	inbox inbox

	taskMu sync.Mutex
	task   *tick.Task // guarded by taskMu while the room is made, static afterwards

	// Guarded by the mu of the kind's directory.
	listing listing

	// Owned by the room's owner, the goroutine that is in Step.
	game       Game
	started    bool
	ready      bool // Open, if there is one, has succeeded
	clients    []*Client
	everJoined bool
	closing    *codec.Error // why the room is about to end
	draining   bool         // the game knows that the server is about to end
	closed     bool
	returned   bool // the Step has come to its end, not to a panic
	tick       uint64
	time       time.Duration // since the room began, by its ticks
	batch      *batch        // what Step works off; nil: nothing waited
	next       int           // of batch.items
	leavers    []leaver      // told to go, not yet sent off
	told       int           // of leavers: how many the game knows of
	random     *rand.Rand

	work     *workspace // nil outside of Step
	log      log
	replyAt  int       // where a reply in the making begins in log.bytes
	targets  []*Client // for whom alone something was emitted in this tick
	laggards []*Client // whose cursor is behind
	unacked  []*Client // whose packets are to be acknowledged
	behind   []*Client // off the log, to begin afresh
	ackNow   bool
	ackTimer *Timer
	sweeping bool          // in this tick
	sweepAt  time.Duration // the room's time
	sweeper  *Timer        // of an event-driven room; nil: it need not sweep
	unswept  int32         // frames since unheard looked at all clients

	timers     timerHeap
	timersMade uint64
	emptyTimer *Timer
	keptFor    atomic.Int64 // when the host's keeper will wake the room; 0: it will not. Any goroutine reads it

	// Guarded by the mu of the host's keeper.
	kept kept

	running atomic.Bool                 // Step is under way
	logger  atomic.Pointer[slog.Logger] // made when first needed
}

// ID returns the room's id, by which clients can join it. Any goroutine.
func (r *Room) ID() string { return r.id }

// Name returns the kind and the id, for log lines. Any goroutine.
func (r *Room) Name() string { return r.kind.name + "/" + r.id }

// Clients returns the clients in the room, in the order in which they joined. The slice is the room's: it is valid until
// the callback returns and must not be changed.
func (r *Room) Clients() []*Client { return r.clients }

// Client returns the client with that number, or nil if it is not in the room.
func (r *Room) Client(id uint32) *Client {
	for _, c := range r.clients {
		if c.id == id {
			return c
		}
	}
	return nil
}

// Kind returns the name of the room's kind. Any goroutine.
func (r *Room) Kind() string { return r.kind.name }

// Rate returns the ticks per second; 0: event-driven. Any goroutine.
func (r *Room) Rate() int { return r.kind.cfg.Rate }

// Capacity returns how many clients the room holds; 0: no limit. Any goroutine.
func (r *Room) Capacity() int { return r.kind.cfg.Capacity }

// Tick returns the number of the current tick.
func (r *Room) Tick() uint64 { return r.tick }

// Now returns the room's own time: when it began plus the ticks since. It stands still during a callback.
func (r *Room) Now() time.Time { return r.began.Add(r.time) }

// Rand returns the room's own random numbers. With Config.Seed they are the same in every run.
func (r *Room) Rand() *rand.Rand {
	if r.random == nil {
		seed := r.kind.cfg.Seed
		if seed == 0 {
			seed = rand.Uint64()
		}
		h := fnv.New64a()
		_, _ = h.Write([]byte(r.kind.name))
		r.random = rand.New(rand.NewPCG(seed, h.Sum64()))
	}
	return r.random
}

// Logger returns the host's logger with the room's kind and id. Any goroutine.
func (r *Room) Logger() *slog.Logger {
	l := r.logger.Load()
	if l == nil {
		l = r.kind.host.cfg.Logger.With("kind", r.kind.name, "room", r.id)
		r.logger.Store(l)
	}
	return l
}

// CreateOptions decodes the options of the client or the server that had the room made. The zero T comes back if there are
// none.
func CreateOptions[T any](r *Room) (T, error) { return decodeOptions[T](r.options) }

// Post runs fn on the room's owner, with the next tick or, in an event-driven room, as soon as it can. It reports whether
// the room took it: one that has ended, or has too much waiting, does not. A room that ends first does not run it either.
// Any goroutine.
func (r *Room) Post(fn func()) bool {
	return r.receive(item{kind: itemPost, post: fn}, nil)
}

// Close ends the room once the current callback has returned: the game's Leave runs for every client, then its Close; the
// clients get what was emitted, and codec.RoomClosed with the reason.
func (r *Room) Close(reason string) {
	r.mustOwn("Close")
	r.end(codec.Errorf(codec.RoomClosed, "%s", reason))
}

func (r *Room) end(why *codec.Error) {
	if r.closing == nil {
		r.closing = why
		r.kind.directory.change(r, func(l *listing) { l.ending = true }) // nobody new is sent here to be turned away
	}
}

// wake runs an event-driven room soon; inline says that the caller is a poller, on which the room may run at once.
func (r *Room) wake(inline bool) {
	if r.kind.cfg.Rate == 0 {
		r.task.Wake(inline)
	}
}

// mustOwn catches calls from outside of the room's callbacks.
func (r *Room) mustOwn(what string) {
	if !r.running.Load() {
		panic("room: " + what + " outside of the callbacks of room " + r.Name() + "; use Post")
	}
}
