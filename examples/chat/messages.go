package main

import (
	"time"

	"github.com/volley-go/volley/room"
)

const (
	shown      = 50  // messages that a newcomer gets
	remembered = 200 // messages for which one that is sent again is known to be the same

	longestText  = 1000 // runes, as for names
	longestName  = 20
	longestToken = 64 // bytes

	typingFor = 5 * time.Second // after the last word of it
	grace     = time.Minute     // for which a lost connection keeps its place
	relist    = 250 * time.Millisecond

	burst     = 30 // messages of one member at once; web/hall.js lets fewer wait
	perSecond = 2  // and from then on
)

// What clients send. say is answered by the message's number, rename by the name as it has become; both by the reason if that
// cannot be.
const (
	say      room.Call[Draft, uint64]  = "say"
	rename   room.Call[string, string] = "rename"
	isTyping room.Event[bool]          = "typing" // again every few seconds while it goes on
)

// What clients get.
const (
	welcome room.Event[Welcome]  = "welcome" // to one: all that there is to know
	said    room.Event[Message]  = "said"
	joined  room.Event[Member]   = "joined"
	left    room.Event[Member]   = "left"
	changed room.Event[Change]   = "changed" // a name, or whether somebody is away
	typing  room.Event[[]uint32] = "typing"  // who all is typing, by their ids
	rooms   room.Event[[]Listed] = "rooms"   // to every room, when members come and go
)

// Hello comes with a join.
type Hello struct {
	Name  string `msgpack:"name"`
	Token string `msgpack:"token"` // a secret by which one is known again after a lost connection; may be empty
	Via   string `msgpack:"via"`   // the kind of client
}

// Draft is a message on its way. One that is sent twice, with the same key, is said once.
type Draft struct {
	Key  string `msgpack:"key"`
	Text string `msgpack:"text"`
}

// Message is what somebody has said.
type Message struct {
	ID   uint64 `msgpack:"id"` // 1 for the room's first
	From uint32 `msgpack:"from"`
	Name string `msgpack:"name"`
	Text string `msgpack:"text"`
	At   int64  `msgpack:"at"`  // in milliseconds since 1970
	Key  string `msgpack:"key"` // the draft's
}

// Member is somebody in a room.
type Member struct {
	ID   uint32 `msgpack:"id"`
	Name string `msgpack:"name"`
	Via  string `msgpack:"via"`
	Away bool   `msgpack:"away"` // whose connection is lost
}

// Change is what has become of a member.
type Change struct {
	Member Member `msgpack:"member"`
	Was    string `msgpack:"was"` // the name before
}

// Welcome is a room as a newcomer finds it.
type Welcome struct {
	Me      uint32    `msgpack:"me"`
	Members []Member  `msgpack:"members"` // in the order in which they came
	History []Message `msgpack:"history"` // oldest first
	Typing  []uint32  `msgpack:"typing"`
	Rooms   []Listed  `msgpack:"rooms"`
}

// Topic is what a room is about, from its beginning.
type Topic struct {
	Name  string // as in the address of the page
	About string
}

// Listed is a room in the list of rooms.
type Listed struct {
	ID      string `msgpack:"id" json:"id"`
	Name    string `msgpack:"name" json:"name"`
	About   string `msgpack:"about" json:"about"`
	Members int    `msgpack:"members" json:"members"`
}
