package room

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/volley-go/volley/codec"
)

// maxNames bounds the event table, so that names made at run time cannot grow it without end; later ones travel as strings.
const maxNames = 4096

// Names is a host's event table: it only grows, and a name keeps its index. Safe for concurrent use.
//
// For servers, not for games.
type Names struct {
	mu    sync.Mutex
	index map[string]int // guarded by mu
	list  atomic.Pointer[[]string]

	latest [maxNames / 64]atomic.Uint64 // a bit for each name that EmitLatest was used with
}

func newNames() *Names {
	n := &Names{index: map[string]int{}}
	n.list.Store(&[]string{})
	return n
}

// List returns the table. It must not be changed.
func (n *Names) List() []string { return *n.list.Load() }

// Len returns the length of the table.
func (n *Names) Len() int { return len(*n.list.Load()) }

// Latest reports whether the event with that index was ever emitted by EmitLatest, so that fewer of it may come than were
// emitted.
func (n *Names) Latest(index int) bool {
	return index >= 0 && index < maxNames && n.latest[index/64].Load()>>(index%64)&1 != 0
}

// noteLatest notes that it was.
func (n *Names) noteLatest(index int) {
	if index >= 0 && !n.Latest(index) {
		n.latest[index/64].Or(1 << (index % 64))
	}
}

// eventName returns the name of an event that came as an index or, if that is codec.NoIndex, as name.
func (h *Host) eventName(index int32, name []byte) string {
	list := h.names.List()
	switch {
	case index == codec.NoIndex:
		return string(name)
	case int(index) < len(list):
		return list[index]
	}
	return fmt.Sprintf("event %d", index)
}

// add returns the index of name, which it adds if need be, or codec.NoIndex if the table is full.
func (n *Names) add(name string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i, ok := n.index[name]; ok {
		return i
	}
	old := *n.list.Load()
	if len(old) >= maxNames {
		return codec.NoIndex
	}
	list := append(old[:len(old):len(old)], name) // a copy: readers keep the old one
	n.index[name] = len(old)
	n.list.Store(&list)
	return len(old)
}
