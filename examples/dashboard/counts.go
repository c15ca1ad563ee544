package main

import (
	"maps"
	"slices"

	"github.com/volley-go/volley/codec"
)

// Count is a counter of what went wrong, or was refused.
type Count struct {
	What string // what it happened to
	Name string
	Code uint16 // of docs/protocol.md; 0: there is none
	N    uint64 // since the server began
}

// Counts returns those that are not 0, as they were at the last Sample, always in the same order.
func (s *Sampler) Counts() (list []Count) {
	add := func(what, name string, code codec.Code, n uint64) {
		if n > 0 {
			list = append(list, Count{what, name, uint16(code), n})
		}
	}
	net := &s.last.server.Net
	for _, code := range slices.Sorted(maps.Keys(net.Closed)) {
		add("connection closed", code.String(), code, net.Closed[code])
	}
	add("connection closed", "without a word", 0, net.Lost)
	add("connection refused", "the server is full", codec.Overloaded, net.Full)
	add("connection refused", "too many of one address", codec.RateLimited, net.Crowded)
	add("connection refused", "too fast from one address", codec.RateLimited, net.Hasty)
	if others := int64(net.Refused + net.Rejected - net.Full - net.Crowded - net.Hasty); others > 0 { // they are not read at once
		add("connection refused", "failed handshake", 0, uint64(others))
	}

	rooms := &s.last.server.Rooms
	add("join refused", "too fast", codec.RateLimited, s.last.server.HastyJoins)
	add("room refused", codec.TooManyRooms.String(), codec.TooManyRooms, rooms.Refused)
	add("room ended", codec.RoomFailed.String(), codec.RoomFailed, rooms.Failed)
	add("packet dropped", "nobody takes it", 0, rooms.Dropped)
	add("player closed", codec.BadPayload.String(), codec.BadPayload, rooms.Bad)
	add("player closed", codec.SlowConsumer.String(), codec.SlowConsumer, rooms.Slow)
	add("player closed", codec.InboxFull.String(), codec.InboxFull, rooms.Flooded)
	add("player lost", "has not come back", codec.ResumeFailed, rooms.Expired)
	add("player back", "as if nothing had happened", 0, rooms.Resumed)
	add("player back", "told everything anew", 0, rooms.Resynced)

	io := &s.last.io
	add("Socket.IO", "socket refused", 0, io.Refused)
	add("Socket.IO", "request refused", 0, io.Rejected)
	add("Socket.IO", "malformed packet", 0, io.Malformed)
	add("Socket.IO", "timed out", 0, io.TimedOut)
	add("Socket.IO", "too slow", 0, io.Slow)
	return list
}
