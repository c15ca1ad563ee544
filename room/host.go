package room

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/tick"
)

// HostConfig is what a Host needs.
type HostConfig struct {
	// Scheduler drives the rooms. It must not be nil, and outlives the host.
	Scheduler *tick.Scheduler
	// Logger hears of rooms that fail. nil: slog.Default().
	Logger *slog.Logger
	// MaxRooms is how many rooms may run at once. 0: 100,000.
	MaxRooms int
	// Requests is how many requests of one client may wait for a room's tick. More are dropped with codec.TooManyRequests. 0: 256.
	Requests int
}

// Host runs the rooms of some kinds: the part of a server that knows no sockets. As an [Audience] it is every client of
// every room. All its methods may be called from any goroutine.
type Host struct {
	cfg    HostConfig
	kinds  []*kind
	byName map[string]*kind
	names  *Names
	keeper *keeper
	task   *tick.Task // the keeper's; nil without event-driven kinds

	rooms  atomic.Int64
	counts counts
	closed atomic.Bool

	refusalSaid atomic.Int64 // when refuseRoom last logged, in Unix nanoseconds
}

// NewHost takes the kinds, which then take no more handlers. It panics if two have one name, or if one belongs to a host.
func NewHost(cfg HostConfig, kinds ...AnyKind) *Host {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.MaxRooms <= 0 {
		cfg.MaxRooms = 100_000
	}
	if cfg.Requests <= 0 {
		cfg.Requests = MaxRequests
	}
	h := &Host{cfg: cfg, byName: map[string]*kind{}, names: newNames(), keeper: &keeper{}}
	if cfg.Scheduler == nil {
		panic("room: HostConfig.Scheduler is nil; rooms need one")
	}
	eventDriven := false
	for i, any := range kinds {
		if any == nil {
			panic(fmt.Sprintf("room: kind %d is nil", i))
		}
		k := any.base()
		if h.byName[k.name] != nil {
			panic(fmt.Sprintf("room: two kinds are called %q", k.name))
		}
		h.byName[k.name] = k
		h.kinds = append(h.kinds, k)
		k.freeze(h)
		eventDriven = eventDriven || k.cfg.Rate == 0
	}
	if eventDriven {
		h.task = cfg.Scheduler.Add(h.keeper, keeperRate, tick.Skip, nil)
	}
	return h
}

// Names returns the event table, which grows as rooms emit events that no handler announced.
func (h *Host) Names() *Names { return h.names }

// Requests returns how many requests of one client may wait for a room's tick.
func (h *Host) Requests() int { return h.cfg.Requests }

// Grace returns the longest time for which a client whose connection was lost keeps its seat; 0: none does.
func (h *Host) Grace() (longest time.Duration) {
	for _, k := range h.kinds {
		longest = max(longest, k.cfg.Grace)
	}
	return longest
}

// JoinRequest is a connection's wish for a room.
type JoinRequest struct {
	How     codec.How
	Name    string // the kind's, or for codec.JoinByID the room's id
	Options []byte // one checked msgpack value, or nil; it is copied
	Channel uint32
	Link    Link
	User    any
}

// Join takes a seat for the connection. The client may send at once; whether it got in, its Link hears from the room. The
// error says why there is no seat.
//
// For servers, not for games.
func (h *Host) Join(req JoinRequest) (*Client, *codec.Error) {
	options := append([]byte(nil), req.Options...)
	for {
		r, id, err := h.findSeat(req, options)
		if err != nil {
			return nil, err
		}
		c := &Client{room: r, link: req.Link, user: req.User, channel: req.Channel, id: id, next: 1}
		if len(options) > 0 {
			c.rare = &rare{options: options}
		}
		if r.receive(item{kind: itemJoin, client: c}, nil) {
			return c, nil
		}
		if why := r.inbox.end(); why.Code != codec.RoomClosed || req.How == codec.JoinByID {
			return nil, why
		}
		// It closed between our finding it and our coming, and is off the lists now: another one may do.
	}
}

var errClosed = &codec.Error{Code: codec.RoomClosed, Reason: "the server shuts down"}

func (h *Host) findSeat(req JoinRequest, options []byte) (*Room, uint32, *codec.Error) {
	if h.closed.Load() {
		return nil, 0, errClosed
	}
	if req.How == codec.JoinByID {
		return h.seatByID(req.Name)
	}
	k := h.byName[req.Name]
	if k == nil {
		return nil, 0, codec.Errorf(codec.NoSuchKind, "there is no kind %q here", req.Name)
	}
	if req.How != codec.Create {
		if r, id, s := k.directory.takeOpen(); s == seated {
			return r, id, nil
		}
	}
	if req.How == codec.Create && k.cfg.ServerCreates {
		return nil, 0, codec.Errorf(codec.NoSuchRoom, "clients may not create rooms of kind %q", req.Name)
	}
	if req.How == codec.Join || k.cfg.ServerCreates {
		return nil, 0, codec.Errorf(codec.NoSuchRoom, "no room of kind %q is open", req.Name)
	}
	r, err := h.create(k, options, true)
	if err != nil {
		return nil, 0, err
	}
	return r, 1, nil
}

func (h *Host) seatByID(name string) (*Room, uint32, *codec.Error) {
	for _, k := range h.kinds {
		switch r, id, s := k.directory.take(name); s {
		case seated:
			return r, id, nil
		case full:
			return nil, 0, codec.Errorf(codec.RoomFull, "room %s has %d clients", name, k.cfg.Capacity)
		case locked:
			return nil, 0, codec.Errorf(codec.RoomLocked, "room %s is locked", name)
		}
	}
	return nil, 0, codec.Errorf(codec.NoSuchRoom, "there is no room %q", codec.CutReason(name))
}

// create makes a room; with a first seat taken if it is for a join.
func (h *Host) create(k *kind, options []byte, forJoin bool) (*Room, *codec.Error) {
	n := h.rooms.Add(1)
	if h.closed.Load() { // looked at after counting: either Close sees this room or we see Close
		h.rooms.Add(-1)
		return nil, errClosed
	}
	if n > int64(h.cfg.MaxRooms) {
		h.rooms.Add(-1)
		h.refuseRoom()
		return nil, codec.Errorf(codec.TooManyRooms, "the server has %d rooms", h.cfg.MaxRooms)
	}
	r := &Room{kind: k, id: newID(), options: options, began: time.Now(), forJoin: forJoin}
	r.listing.private = k.cfg.Private
	if forJoin {
		r.listing.seats, r.listing.lastID = 1, 1
	}
	r.taskMu.Lock()
	r.opened = h.cfg.Scheduler.Now()
	r.task = h.cfg.Scheduler.Add(r, k.cfg.Rate, k.cfg.Overrun, &k.metrics)
	if k.cfg.Blocking {
		r.task.Detach()
	}
	r.taskMu.Unlock()
	k.directory.add(r)
	return r, nil
}

// refuseRoom counts and logs a room that could not be made, in the log at most every ten seconds.
func (h *Host) refuseRoom() {
	h.counts.refused.Add(1)
	now, last := time.Now().UnixNano(), h.refusalSaid.Load()
	if now-last > int64(10*time.Second) && h.refusalSaid.CompareAndSwap(last, now) {
		h.cfg.Logger.Warn("room: the host has as many rooms as it may; no more are made", "MaxRooms", h.cfg.MaxRooms)
	}
}

// newID returns 60 random bits as twelve characters that survive being read aloud.
func newID() string { return strings.ToLower(rand.Text()[:12]) }

// Create makes a room of the kind, with options that its constructor reads by CreateOptions; nil for none. It stays open
// until its last client leaves, however long the first one takes to come. Any goroutine.
func (k *Kind[G]) Create(options any) (*Room, error) {
	if k.k.host == nil {
		return nil, fmt.Errorf("room: kind %q has no server yet", k.k.name)
	}
	b, err := codec.Marshal(options)
	if err != nil {
		return nil, fmt.Errorf("room: create %s: %w", k.k.name, err)
	}
	r, refused := k.k.host.create(k.k, b, false)
	if refused != nil {
		return nil, refused
	}
	r.wake(false)
	return r, nil
}

// Rooms describes the rooms of the kind, ordered by id. Private ones are included: leave out those with Info.Private before you
// show the list to players. Any goroutine.
func (k *Kind[G]) Rooms() []Info { return k.k.directory.infos() }

// Metrics returns how the kind's rooms keep their time. Any goroutine.
func (k *Kind[G]) Metrics() *tick.Metrics { return &k.k.metrics }

// Room returns the room with that id, or nil.
func (h *Host) Room(id string) *Room {
	for _, k := range h.kinds {
		k.directory.mu.Lock()
		r := k.directory.byID[id]
		k.directory.mu.Unlock()
		if r != nil {
			return r
		}
	}
	return nil
}
