package client

import (
	"fmt"

	"github.com/volley-go/volley/codec"
)

// names is a server's event table as far as it is known. Immutable; it grows by being replaced.
type names struct {
	session int // which of the client's sessions it is of; an index means nothing in another
	list    []string
	index   map[string]int // of list, if that is long
}

// mapNames is the length of a table from which it is worth a map.
const mapNames = 32

// with returns the table with more names, from index first on.
func (t *names) with(first int, more []string) (*names, error) {
	if first > len(t.list) {
		return nil, codec.Errorf(codec.UnexpectedFrame, "names begin at %d, the table ends at %d", first, len(t.list))
	}
	list := make([]string, max(len(t.list), first+len(more)))
	copy(list, t.list)
	for i, name := range more {
		if at := first + i; at < len(t.list) && t.list[at] != name {
			return nil, codec.Errorf(codec.UnexpectedFrame, "event %d was %s and is renamed %s", at, t.list[at], name)
		}
		list[first+i] = name
	}
	grown := &names{session: t.session, list: list}
	if len(list) > mapNames {
		grown.index = make(map[string]int, len(list))
		for i, name := range list {
			if _, twice := grown.index[name]; !twice {
				grown.index[name] = i
			}
		}
	}
	return grown, nil
}

// ref returns the index of a name, or codec.NoIndex.
func (t *names) ref(name string) int {
	if t.index != nil {
		if i, ok := t.index[name]; ok {
			return i
		}
		return codec.NoIndex
	}
	for i, n := range t.list {
		if n == name {
			return i
		}
	}
	return codec.NoIndex
}

func checkName(what, name string) error {
	if len(name) == 0 || len(name) > codec.MaxName {
		return fmt.Errorf("client: %s %q must have 1 to %d bytes", what, name, codec.MaxName)
	}
	return nil
}
