package room

import (
	"sync"

	"github.com/volley-go/volley/codec"
)

// workspace is what a room needs only while it steps: places for what it emits and for the frames that are put together.
// Rooms take turns with a few workspaces, so that an idle room holds none of it and a busy worker finds it in its cache.
// A room that has something left in one of the lists at the end, because a client is behind, keeps that list until it is done.
type workspace struct {
	segments []segment
	bytes    []byte
	newest   map[latestKey]uint64
	common   []uint32
	refs     []ref
	targets  []*Client
	laggards []*Client
	unacked  []*Client

	shared []byte            // the frame that everyone gets whose cursor is at the tick's beginning
	own    []byte            // a frame for one client
	chosen map[ownKey]uint64 // during gather
}

// gap is the room in front of the packets of a frame.
const gap = Headroom + codec.MaxPrefix

// The pools hold no state, so that servers may share them.
var (
	workspaces = sync.Pool{New: func() any {
		return &workspace{
			shared: make([]byte, gap), own: make([]byte, gap),
			newest: map[latestKey]uint64{}, chosen: map[ownKey]uint64{},
		}
	}}
	batches = sync.Pool{New: func() any { return new(batch) }}
)

// A workspace or a batch that has grown beyond these is not used again.
const (
	maxKept     = 256 << 10 // bytes
	maxKeptList = 16 << 10  // entries of a list
)

// moveIn takes a workspace for a Step.
func (r *Room) moveIn() {
	w := workspaces.Get().(*workspace)
	r.work = w
	r.log.moveIn(w)
	lend(&r.targets, &w.targets)
	lend(&r.laggards, &w.laggards)
	lend(&r.unacked, &w.unacked)
	r.log.newest, r.log.common, r.log.refs = w.newest, w.common, w.refs
}

// moveOut gives back what the room has done with.
func (r *Room) moveOut() {
	w := r.work
	r.forgetTargets()
	w.common, w.refs = r.log.common, r.log.refs
	r.work, r.log.newest, r.log.common, r.log.refs = nil, nil, nil, nil
	r.log.moveOut(w, r.sweeping)
	giveBack(&r.targets, &w.targets)
	giveBack(&r.laggards, &w.laggards)
	giveBack(&r.unacked, &w.unacked)
	bytes := max(cap(w.bytes), cap(w.shared), cap(w.own))
	entries := max(cap(w.segments), cap(w.refs), len(w.newest), cap(w.targets), cap(w.laggards), cap(w.unacked))
	if bytes <= maxKept && entries <= maxKeptList {
		workspaces.Put(w)
	}
}

// lend gives a room without a list the workspace's.
func lend[T any](mine, its *[]T) {
	if *mine == nil {
		*mine, *its = *its, nil
	}
}

// giveBack returns a list to the workspace, or to the garbage collector if it has one already, unless something is in it.
func giveBack[T any](mine, its *[]T) {
	if len(*mine) > 0 {
		return
	}
	if *its == nil {
		*its = *mine
	}
	*mine = nil
}

// release gives a batch back that a room has done with.
func (b *batch) release() {
	if cap(b.bytes) > maxKept || cap(b.items) > maxKeptList {
		return
	}
	clear(b.items)
	b.items, b.bytes = b.items[:0], b.bytes[:0]
	batches.Put(b)
}
