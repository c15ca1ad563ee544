package room

import "sync/atomic"

// HostStats are counters since the host began, but for Rooms and Away.
type HostStats struct {
	Rooms   int    // at this moment
	Away    int    // clients whose connection is lost and whose seat is kept, at this moment
	Refused uint64 // rooms that were not made because there were HostConfig.MaxRooms: codec.TooManyRooms
	Failed  uint64 // rooms that ended by a panic
	Dropped uint64 // packets without a handler, and requests beyond HostConfig.Requests: codec.UnknownEvent, codec.TooManyRequests
	Bad     uint64 // clients closed because a payload did not fit: codec.BadPayload
	Slow    uint64 // clients closed because they fell off a room's log: codec.SlowConsumer
	Flooded uint64 // clients closed because they, or everyone, sent more than a room's inbox holds: codec.InboxFull
	Lost    uint64 // events emitted to a kind or a host that a room had no place for; its clients miss them

	Resumed  uint64 // clients that went on over another connection
	Resynced uint64 // clients that had to begin afresh, because they were away or slow for too long
	Expired  uint64 // clients that left because nobody came back for them: codec.ResumeFailed
}

// counts are the HostStats as they grow.
type counts struct {
	refused, failed, dropped, bad, slow, flooded, lost atomic.Uint64
	resumed, resynced, expired                         atomic.Uint64
	away                                               atomic.Int64
}

// Stats returns the host's counters.
func (h *Host) Stats() HostStats {
	c := &h.counts
	return HostStats{
		Rooms: int(h.rooms.Load()), Refused: c.refused.Load(), Failed: c.failed.Load(), Dropped: c.dropped.Load(), Bad: c.bad.Load(),
		Slow: c.slow.Load(), Flooded: c.flooded.Load(), Lost: c.lost.Load(),
		Away: int(c.away.Load()), Resumed: c.resumed.Load(), Resynced: c.resynced.Load(), Expired: c.expired.Load(),
	}
}
