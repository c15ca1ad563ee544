package roomtest

import (
	"bytes"
	"errors"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// link is one of a player's connections, as its room sees it. What is sent over one that has been cut gets nowhere.
type link struct {
	p *Player
	n int // of p.conns
}

func (l link) dead() bool { return l.n != l.p.conns || l.p.Away }

func (l link) Send(buf []byte, head int) error {
	p := l.p
	if l.dead() {
		return errCut
	}
	if head < room.Headroom {
		p.bed.tb.Errorf("a frame with %d bytes of headroom", head)
	}
	r := codec.NewReader(bytes.Clone(buf[head:]), codec.ServerLimits)
	kind, n, err := r.Frame()
	if err != nil || kind != codec.FrameVolley {
		p.bed.tb.Errorf("frame %v, error %v", kind, err)
		return nil
	}
	v, err := r.ServerVolley(n)
	if err != nil {
		p.bed.tb.Errorf("volley: %v", err)
	}
	packets, err := r.Packets(n, nil)
	if err != nil {
		p.bed.tb.Errorf("packets: %v", err)
	}
	f := Frame{Tick: v.Tick, Ack: v.Ack}
	for _, packet := range packets {
		f.Packets = append(f.Packets, Packet{Packet: packet, Event: p.event(packet)})
	}
	p.Frames = append(p.Frames, f)
	p.seen(f.Tick)
	return nil
}

func (p *Player) event(packet codec.Packet) string {
	switch {
	case packet.Kind == codec.Reply || packet.Kind == codec.Failure:
		return ""
	case packet.Index == codec.NoIndex:
		return string(packet.Name)
	}
	return p.names.List()[packet.Index]
}

func (l link) Pending() int {
	if l.dead() {
		return 0
	}
	return l.p.pending
}

func (l link) Joined(_ *room.Client, tick uint64) {
	l.p.Joined = true
	l.p.seen(tick)
	l.p.forgotten = max(l.p.forgotten, tick)
}

func (l link) Resumed(_ uint32, seq uint64) {
	if !l.dead() {
		l.p.Resumes++
	}
}

func (l link) Resync(_ uint32, tick uint64) {
	if !l.dead() {
		l.p.Resyncs++
		l.p.before = l.p.tick
		l.p.seen(tick)
		l.p.forgotten = max(l.p.forgotten, tick)
	}
}

func (l link) Left(_ uint32, why *codec.Error)              { l.p.Left = why }
func (l link) Dropped(_ uint32, _ uint64, why *codec.Error) { l.p.Drops = append(l.p.Drops, why) }

var errCut = errors.New("roomtest: the connection is cut")

func (l link) Fail(why *codec.Error) {
	if l.p.Failed == nil {
		l.p.Failed = why
		l.p.Client.Leave(why)
	}
}
