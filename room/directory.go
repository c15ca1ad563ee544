package room

import (
	"slices"
	"sync"
)

// directory is the list of a kind's rooms, and who may take a seat in them. Safe for concurrent use.
type directory struct {
	mu   sync.Mutex
	byID map[string]*Room
	open []*Room // rooms that a join by kind may choose, in no order
}

// listing is what the directory knows about a room. Guarded by the directory's mu.
type listing struct {
	seats    int // taken: by clients, and by joins on their way
	lastID   uint32
	place    int // in open, plus one; 0: it is not in open
	locked   bool
	private  bool
	ending   bool // it takes nobody new, for good
	gone     bool // it is off the lists
	metadata any
}

// Info describes a room to those outside, for lobbies and lists.
type Info struct {
	ID       string
	Kind     string
	Clients  int // those on their way in included
	Capacity int // 0: no limit
	Locked   bool
	Private  bool
	Metadata any // what Room.SetMetadata was last given
}

// list puts the room into open or takes it out, as its state demands. The caller holds mu.
func (d *directory) list(r *Room) {
	l := &r.listing
	open := !l.gone && !l.ending && !l.locked && !l.private && (r.kind.cfg.Capacity == 0 || l.seats < r.kind.cfg.Capacity)
	switch {
	case open && l.place == 0:
		d.open = append(d.open, r)
		l.place = len(d.open)
	case !open && l.place > 0:
		last := d.open[len(d.open)-1]
		d.open[l.place-1] = last
		last.listing.place = l.place
		d.open[len(d.open)-1] = nil
		d.open = d.open[:len(d.open)-1]
		l.place = 0
	}
}

func (d *directory) add(r *Room) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.listing.gone {
		return // it has ended already
	}
	d.byID[r.id] = r
	d.list(r)
}

func (d *directory) remove(r *Room) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(r)
}

// drop takes a room off the lists. The caller holds mu.
func (d *directory) drop(r *Room) {
	if r.listing.gone {
		return
	}
	r.listing.gone = true
	delete(d.byID, r.id)
	d.list(r)
}

// removeIfEmpty takes a room without a taken seat off the lists, for good, and reports whether it did.
func (d *directory) removeIfEmpty(r *Room) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.listing.seats > 0 {
		return false
	}
	d.drop(r)
	return true
}

// seat is the outcome of asking for one.
type seat uint8

const (
	seated seat = iota
	noRoom
	full
	locked
)

// takeOpen takes a seat in some open room.
func (d *directory) takeOpen() (*Room, uint32, seat) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.open) == 0 {
		return nil, 0, noRoom
	}
	r := d.open[len(d.open)-1]
	return r, d.sit(r), seated
}

// take takes a seat in the room with that id.
func (d *directory) take(id string) (*Room, uint32, seat) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.byID[id]
	switch {
	case r == nil || r.listing.ending:
		return nil, 0, noRoom
	case r.listing.locked:
		return nil, 0, locked
	case r.kind.cfg.Capacity > 0 && r.listing.seats >= r.kind.cfg.Capacity:
		return nil, 0, full
	}
	return r, d.sit(r), seated
}

// sit counts a seat as taken and returns the number of the client. The caller holds mu.
func (d *directory) sit(r *Room) uint32 {
	r.listing.seats++
	r.listing.lastID++
	d.list(r)
	return r.listing.lastID
}

// release gives a seat back.
func (d *directory) release(r *Room) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r.listing.seats--
	d.list(r)
}

// all returns the rooms at this moment.
func (d *directory) all() []*Room {
	d.mu.Lock()
	defer d.mu.Unlock()
	rooms := make([]*Room, 0, len(d.byID))
	for _, r := range d.byID {
		rooms = append(rooms, r)
	}
	return rooms
}

func (d *directory) infos() []Info {
	d.mu.Lock()
	defer d.mu.Unlock()
	infos := make([]Info, 0, len(d.byID))
	for _, r := range d.byID {
		infos = append(infos, Info{
			ID: r.id, Kind: r.kind.name, Clients: r.listing.seats, Capacity: r.kind.cfg.Capacity,
			Locked: r.listing.locked, Private: r.listing.private, Metadata: r.listing.metadata,
		})
	}
	slices.SortFunc(infos, func(a, b Info) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return infos
}

// change changes what the directory knows about a room.
func (d *directory) change(r *Room, f func(*listing)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(&r.listing)
	d.list(r)
}

// Lock keeps newcomers out until Unlock. Any goroutine.
func (r *Room) Lock() { r.kind.directory.change(r, func(l *listing) { l.locked = true }) }

// Unlock lets newcomers in again. Any goroutine.
func (r *Room) Unlock() { r.kind.directory.change(r, func(l *listing) { l.locked = false }) }

// SetPrivate says whether the room is found by its id alone. Any goroutine.
func (r *Room) SetPrivate(private bool) {
	r.kind.directory.change(r, func(l *listing) { l.private = private })
}

// SetMetadata sets what Info shows of the room. The value must not be changed afterwards. Any goroutine.
func (r *Room) SetMetadata(v any) {
	r.kind.directory.change(r, func(l *listing) { l.metadata = v })
}
