package roomtest

import (
	"fmt"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// Player is a client of a room, with a connection that only remembers what it was sent.
type Player struct {
	Client *room.Client
	Joined bool
	Left   *codec.Error // why it left or was refused
	Failed *codec.Error // why the room had its connection closed
	Frames []Frame      // what it was sent, oldest first
	Drops  []*codec.Error

	Away    bool // between Cut and Return
	Resumes int  // how often its room went on with it over another connection
	Resyncs int  // how often its room began afresh with it

	bed     *Bed
	names   *room.Names
	pending int
	conns   int    // that it has had
	tick    uint64 // the last that it has processed

	forgotten uint64 // the last tick that was processed before those in Frames
	before    uint64 // and the last one before the last RESYNC

	seq   uint64
	asked uint32
}

// Frame is one VOLLEY that a player got.
type Frame struct {
	Tick, Ack uint64
	Packets   []Packet
}

// Packet is one packet of a Frame.
type Packet struct {
	codec.Packet
	Event string // its event's name; empty for replies
}

// Stall makes the connection look as if n bytes had not left yet; 0 makes it ready again, and tells the room.
func (p *Player) Stall(n int) {
	p.pending = n
	if n == 0 {
		p.Client.Drained()
	}
}

// Cut cuts the connection as a network failure does. The last frames that it was sent, as many as lost says, have not arrived; if
// those are more than Frames has, neither has the last RESYNC.
func (p *Player) Cut(lost int) {
	p.bed.tb.Helper()
	if p.Away {
		p.bed.tb.Fatalf("cut: the player has no connection")
	}
	p.Away, p.pending = true, 0
	if p.Resyncs > 0 && lost > len(p.Frames) { // and the RESYNC before them
		p.forgotten = min(p.forgotten, p.before)
	}
	if lost = min(lost, len(p.Frames)); lost > 0 {
		p.Frames = p.Frames[:len(p.Frames)-lost]
		p.tick = p.forgotten
		if n := len(p.Frames); n > 0 {
			p.tick = max(p.tick, p.Frames[n-1].Tick)
		}
	}
	p.Client.Drop(&codec.Error{Code: codec.IdleTimeout})
}

// Return comes back over another connection, with the last tick that the player has processed. If the seat is still kept, the
// room goes on with it, and Resumes counts; otherwise Left says why.
func (p *Player) Return() {
	p.conns++
	p.Away = false
	p.Client.Resume(link{p, p.conns}, codec.Processed{Tick: p.tick})
}

// seen notes that the player has processed a tick.
func (p *Player) seen(tick uint64) { p.tick = max(p.tick, tick) }

// Ticks lets time pass until the player's room has run n more ticks.
func (p *Player) Ticks(n int) {
	r := p.Client.Room()
	for end := r.Tick() + uint64(n); r.Tick() < end && p.Left == nil; {
		p.bed.Run(time.Millisecond)
	}
}

// Emit sends an event of the player's. It arrives when the room runs next.
func Emit[T any](p *Player, ev room.Event[T], v T) {
	p.bed.tb.Helper()
	p.Emit(string(ev), v)
}

// Emit sends an event with any payload, also one that does not fit.
func (p *Player) Emit(event string, v any) {
	p.bed.tb.Helper()
	p.Send(codec.Packet{Kind: codec.Event, Index: codec.NoIndex, Name: []byte(event), Payload: p.encode(v)})
}

// Request sends a request and returns its id, by which Reply finds the answer.
func (p *Player) Request(call string, v any) uint32 {
	p.bed.tb.Helper()
	p.asked++
	p.Send(codec.Packet{Kind: codec.Request, Index: codec.NoIndex, Name: []byte(call), Payload: p.encode(v), ID: p.asked})
	return p.asked
}

// Answer replies to a request of the room.
func (p *Player) Answer(id uint32, v any) {
	p.bed.tb.Helper()
	p.Send(codec.Packet{Kind: codec.Reply, Index: codec.NoIndex, Payload: p.encode(v), ID: id})
}

// Send sends packets as they are, numbered in order. It fails the test if the room wants the connection closed for it.
func (p *Player) Send(packets ...codec.Packet) {
	p.bed.tb.Helper()
	if p.Away {
		p.bed.tb.Fatalf("send: the player's connection is cut")
	}
	if err := p.Client.Receive(p.seq+1, p.tick, packets); err != nil {
		p.bed.tb.Fatalf("send: %v", err)
	}
	p.seq += uint64(len(packets))
}

// Acknowledge tells the room that the player has processed all frames so far. Packets of the player's do so as well.
func (p *Player) Acknowledge() {
	p.bed.tb.Helper()
	p.Send()
}

// Leave leaves the room as a client's LEAVE does.
func (p *Player) Leave() { p.Client.Leave(nil) }

func (p *Player) encode(v any) []byte {
	p.bed.tb.Helper()
	b, err := codec.Marshal(v)
	if err != nil {
		p.bed.tb.Fatalf("encode: %v", err)
	}
	return b
}

// Packets returns every packet that the player got, oldest first.
func (p *Player) Packets() []Packet {
	var all []Packet
	for _, f := range p.Frames {
		all = append(all, f.Packets...)
	}
	return all
}

// Forget forgets what the player got so far.
func (p *Player) Forget() { p.Frames, p.forgotten = nil, p.tick }

// All returns the payloads of every event of that name, oldest first.
func All[T any](p *Player, event room.Event[T]) []T {
	p.bed.tb.Helper()
	var all []T
	for _, packet := range p.Packets() {
		if packet.Event != string(event) {
			continue
		}
		all = append(all, Decode[T](p, packet.Payload))
	}
	return all
}

// Last returns the payload of the newest event of that name. It fails the test if there is none.
func Last[T any](p *Player, event room.Event[T]) T {
	p.bed.tb.Helper()
	all := All(p, event)
	if len(all) == 0 {
		p.bed.tb.Fatalf("no event %q came", event)
	}
	return all[len(all)-1]
}

// Reply returns the reply to the request with that id, or the error that came instead. It fails the test if neither has come.
func Reply[T any](p *Player, id uint32) (v T, err error) {
	p.bed.tb.Helper()
	for _, packet := range p.Packets() {
		if packet.ID != id {
			continue
		}
		switch packet.Kind {
		case codec.Reply:
			return Decode[T](p, packet.Payload), nil
		case codec.Failure:
			return v, fmt.Errorf("%s", Decode[string](p, packet.Payload))
		}
	}
	p.bed.tb.Fatalf("no reply to request %d came", id)
	return v, nil
}

// Decode decodes a payload.
func Decode[T any](p *Player, payload []byte) (v T) {
	p.bed.tb.Helper()
	if err := codec.Unmarshal(payload, &v); err != nil {
		p.bed.tb.Fatalf("payload: %v", err)
	}
	return v
}
