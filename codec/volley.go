package codec

// Volley is the fixed part of a VOLLEY from a client.
type Volley struct {
	Channel uint32
	Seq     uint64 // the sequence number of the first packet
	Tick    uint64 // the last tick that the client has processed
}

// PacketKind says what a packet is.
type PacketKind uint8

const (
	Event   PacketKind = iota // an event
	Request                   // an event that wants a reply
	Reply                     // the reply to a request
	Failure                   // the reply that says why there is none
)

// NoIndex is the Index of a packet whose event came by name.
const NoIndex = -1

// Packet is one packet of a VOLLEY. Its slices alias the frame.
type Packet struct {
	Kind    PacketKind
	Index   int32  // of the event in the table, or NoIndex
	ID      uint32 // of the request, for all but Event
	Name    []byte // the event's name if Index is NoIndex
	Payload []byte // one checked msgpack value; for Failure a string
}

// ClientVolley reads the fixed part of a client's VOLLEY of n elements; Packets reads on.
func (r *Reader) ClientVolley(n int) (v Volley, err error) {
	if err = needElements(n, 4); err != nil {
		return v, err
	}
	if v.Channel, err = r.channel(); err != nil {
		return v, err
	}
	if v.Seq, err = r.element(maxNumber, "sequence number"); err != nil {
		return v, err
	}
	v.Tick, err = r.element(maxNumber, "tick")
	return v, err
}

// ServerVolley is the fixed part of a VOLLEY from a server.
type ServerVolley struct {
	Channel uint32
	Tick    uint64 // the room's tick
	Ack     uint64 // the last packet of the client's that the room has processed
}

// ServerVolley reads the fixed part of a server's VOLLEY of n elements; Packets reads on.
func (r *Reader) ServerVolley(n int) (ServerVolley, error) {
	v, err := r.ClientVolley(n)
	return ServerVolley{Channel: v.Channel, Tick: v.Seq, Ack: v.Tick}, err
}

// Packets reads the packets of a VOLLEY of n elements to the frame's end and appends them to dst. On an error dst is
// returned as it was.
func (r *Reader) Packets(n int, dst []Packet) ([]Packet, error) {
	count, err := r.Array()
	if err != nil {
		return dst, asMalformed(err)
	}
	if count > r.limits.Packets {
		return dst, Errorf(TooComplex, "%d packets in a frame, %d are allowed", count, r.limits.Packets)
	}
	start := len(dst)
	for range count {
		dst = append(dst, Packet{})
		if err := r.packet(&dst[len(dst)-1]); err != nil {
			return dst[:start], asMalformed(err)
		}
	}
	if err := r.finish(n - 4); err != nil {
		return dst[:start], err
	}
	return dst, nil
}

func (r *Reader) packet(p *Packet) (err error) {
	n, err := r.Array()
	if err != nil {
		return err
	}
	if n < 2 {
		return Errorf(Malformed, "a packet of %d elements", n)
	}
	if err = r.event(p); err != nil {
		return err
	}
	if p.Payload, err = r.Value(); err != nil {
		return err
	}
	if p.Kind == Failure && !isStr(p.Payload[0]) {
		return Errorf(Malformed, "%s where a failed request's text is wanted", kindOf(p.Payload[0]))
	}
	extra := n - 2
	switch {
	case extra > 0:
		id, err := r.element(1<<32-1, "request id")
		if err != nil {
			return err
		}
		if id == 0 {
			return Errorf(Malformed, "request id 0")
		}
		p.ID = uint32(id)
		if p.Kind == Event {
			p.Kind = Request
		}
		extra--
	case p.Kind != Event:
		return Errorf(Malformed, "a reply without the id of its request")
	}
	for ; extra > 0; extra-- {
		if _, err = r.Value(); err != nil {
			return err
		}
	}
	return nil
}

// event reads a packet's first element: an index, a name, or the mark of a reply.
func (r *Reader) event(p *Packet) error {
	if r.p < len(r.b) && isStr(r.b[r.p]) {
		name, err := r.Str()
		if err != nil {
			return err
		}
		if len(name) == 0 || len(name) > MaxName {
			return Errorf(Malformed, "an event name of %d bytes", len(name))
		}
		p.Index, p.Name = NoIndex, name
		return nil
	}
	index, err := r.Int()
	switch {
	case err != nil:
		return err
	case index == -1:
		p.Kind, p.Index = Reply, NoIndex
	case index == -2:
		p.Kind, p.Index = Failure, NoIndex
	case index < 0 || index > 1<<31-1:
		return Errorf(Malformed, "event index %d is out of range", index)
	default:
		p.Index = int32(index)
	}
	return nil
}

// MaxPrefix is the room that PutVolley needs in front of the packets: the header of the outer array, the type, three numbers
// of at most nine bytes and the header of the packets' array.
const MaxPrefix = 1 + 1 + 3*9 + 5

// PutVolley writes the beginning of a VOLLEY with count packets so that it ends at buf[end], where the packets stand, and
// returns where it begins. end must be at least MaxPrefix. a and b are the tick and the ack (from a server) or the sequence
// number and the tick (from a client).
func PutVolley(buf []byte, end int, channel uint32, a, b uint64, count int) (start int) {
	var prefix [MaxPrefix]byte
	p := append(prefix[:0], 0x95, byte(FrameVolley))
	p = AppendUint(p, uint64(channel))
	p = AppendUint(AppendUint(p, a), b)
	p = AppendArray(p, count)
	start = end - len(p)
	copy(buf[start:end], p)
	return start
}

// AppendEvent appends the beginning of an event packet; its payload comes next.
func AppendEvent(b []byte, index int) []byte {
	return AppendUint(append(b, 0x92), uint64(index))
}

// AppendNamedEvent appends the beginning of an event packet whose event has no index; its payload comes next.
func AppendNamedEvent(b []byte, name string) []byte {
	return AppendStr(append(b, 0x92), name)
}

// AppendRequest appends the beginning of a request packet; its payload and then AppendUint(id) come next. A negative index
// means the name.
func AppendRequest(b []byte, index int, name string) []byte {
	b = append(b, 0x93)
	if index < 0 {
		return AppendStr(b, name)
	}
	return AppendUint(b, uint64(index))
}

// AppendReply appends the beginning of a reply packet; its payload and then AppendUint(id) come next.
func AppendReply(b []byte) []byte { return append(b, 0x93, 0xff) }

// AppendFailure appends a whole reply packet that says why there is no reply.
func AppendFailure(b []byte, text string, id uint32) []byte {
	return AppendUint(AppendStr(append(b, 0x93, 0xfe), CutReason(text)), uint64(id))
}
