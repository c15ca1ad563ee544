package main

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/volley-go/volley/room"
)

// topics are the rooms that there are.
var topics = []Topic{
	{"lobby", "Say hello"},
	{"games", "What are you playing?"},
	{"random", "Everything else"},
	{"help", "Ask away"},
}

// lister knows all rooms. Its methods may be called from any goroutine.
type lister struct {
	kind *room.Kind[*chat]
}

func newLister() *lister {
	l := &lister{}
	l.kind = newKind(l)
	return l
}

// open makes the rooms, once the kind has its server.
func (l *lister) open() error {
	for _, t := range topics {
		r, err := l.kind.Create(nil)
		if err != nil {
			return err
		}
		r.SetMetadata(t)
	}
	return nil
}

// list returns the rooms in the order of topics.
func (l *lister) list() []Listed {
	list := make([]Listed, 0, len(topics))
	for _, info := range l.kind.Rooms() {
		if t, ok := info.Metadata.(Topic); ok {
			list = append(list, Listed{ID: info.ID, Name: t.Name, About: t.About, Members: info.Clients})
		}
	}
	place := func(l Listed) int {
		return slices.IndexFunc(topics, func(t Topic) bool { return t.Name == l.Name })
	}
	slices.SortFunc(list, func(a, b Listed) int { return place(a) - place(b) })
	return list
}

// ServeHTTP answers with the list, by which a client finds the id of the room that it wants.
func (l *lister) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(l.list())
}
