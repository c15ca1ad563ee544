package codec

// Version is the protocol version that this package speaks.
const Version = 1

// FrameType is the first element of a frame. docs/protocol.md lists the elements of each.
type FrameType uint8

const (
	FrameVolley  FrameType = 0  // both: packets of a room
	FrameHello   FrameType = 1  // to the server: version, options
	FrameWelcome FrameType = 2  // to the client: version, facts
	FrameJoin    FrameType = 3  // to the server: channel, how, name, options
	FrameJoined  FrameType = 4  // to the client: channel, facts
	FrameLeave   FrameType = 5  // to the server: channel
	FrameLeft    FrameType = 6  // to the client: channel, code, reason
	FramePing    FrameType = 7  // both: stamp
	FramePong    FrameType = 8  // both: stamp
	FrameNames   FrameType = 9  // to the client: first index, names
	FrameNotice  FrameType = 10 // to the client: channel, code, reason, sequence number
	FrameBye     FrameType = 11 // to the client: code, reason, delay, address; to the server: code, reason
	FrameResumed FrameType = 12 // to the client: channel, sequence number
	FrameResync  FrameType = 13 // to the client: channel, tick

	frameTypes = 14
)

// How says which room a JOIN means.
type How uint8

const (
	JoinOrCreate How = 0 // an open room of the kind, or a new one
	Create       How = 1 // a new room of the kind
	Join         How = 2 // an open room of the kind
	JoinByID     How = 3 // the room with that id
)

// Frame reads the frame's array header and its type, and returns the type and the number of elements after it, which the
// method that reads on wants to know.
func (r *Reader) Frame() (FrameType, int, error) {
	n, err := r.Array()
	if err != nil {
		return 0, 0, asMalformed(err)
	}
	if n == 0 {
		return 0, 0, Errorf(Malformed, "an empty array is no frame")
	}
	t, err := r.Uint()
	if err != nil {
		return 0, 0, asMalformed(err)
	}
	if t >= frameTypes {
		return 0, 0, Errorf(UnexpectedFrame, "frame type %d is not known", t)
	}
	return FrameType(t), n - 1, nil
}

// asMalformed turns the BadPayload of an element that is not what the frame needs into Malformed.
func asMalformed(err error) error {
	if e, ok := err.(*Error); ok && e.Code == BadPayload {
		return &Error{Malformed, e.Reason}
	}
	return err
}

// element reads one unsigned element of at most max.
func (r *Reader) element(max uint64, what string) (uint64, error) {
	u, err := r.Uint()
	if err != nil {
		return 0, asMalformed(err)
	}
	if u > max {
		return 0, Errorf(Malformed, "%s %d is out of range", what, u)
	}
	return u, nil
}

// channel reads a channel number.
func (r *Reader) channel() (uint32, error) {
	u, err := r.Uint()
	if err != nil {
		return 0, asMalformed(err)
	}
	if u > maxChannel {
		return 0, Errorf(BadChannel, "channel %d is out of range", u)
	}
	return uint32(u), nil
}

// version reads a protocol version, before anything that another version may have changed.
func (r *Reader) version(n int) (int, error) {
	if err := needElements(n, 1); err != nil {
		return 0, err
	}
	u, err := r.element(maxNumber, "version")
	if err != nil {
		return 0, err
	}
	if u != Version {
		return 0, Errorf(UnsupportedVersion, "version %d is not spoken here, only %d", u, Version)
	}
	return Version, nil
}

// text reads a string element of at most max bytes.
func (r *Reader) text(max int, what string) (string, error) {
	s, err := r.Str()
	if err != nil {
		return "", asMalformed(err)
	}
	if len(s) > max {
		return "", Errorf(Malformed, "%s is longer than %d bytes", what, max)
	}
	return string(s), nil
}

// finish skips the elements that a later version may have added and checks that nothing follows.
func (r *Reader) finish(extra int) error {
	if err := r.skip(extra, elementLevel); err != nil {
		return err
	}
	return r.Done()
}

func needElements(n, want int) error {
	if n < want {
		return Errorf(Malformed, "the frame has %d elements after its type and needs %d", n, want)
	}
	return nil
}

const (
	maxChannel = 1<<16 - 1
	maxNumber  = 1 << 53 // sequence numbers and ticks stay exact in JavaScript
	// MaxName is the longest event name, kind name or room id, in bytes.
	MaxName = 64
)

// Hello is what a client says first.
type Hello struct {
	Version int
	Auth    []byte // the value of "auth", for the server's hook; nil if there is none; aliases the frame
	Resume  *Resume
}

// Hello reads the rest of a HELLO of n elements.
func (r *Reader) Hello(n int) (h Hello, err error) {
	if h.Version, err = r.version(n); err != nil {
		return h, err
	}
	if err = needElements(n, 2); err != nil {
		return h, err
	}
	entries, err := r.Map()
	if err != nil {
		return h, asMalformed(err)
	}
	for range entries {
		key, err := r.Str()
		if err != nil {
			return h, asMalformed(err)
		}
		if err = r.option(&h, string(key)); err != nil {
			return h, err
		}
	}
	return h, r.finish(n - 2)
}

// option reads the value of one of HELLO's options.
func (r *Reader) option(h *Hello, key string) (err error) {
	switch {
	case key == "resume" && h.Resume == nil:
		h.Resume, err = r.resume()
		return err
	case key == "auth" && h.Auth == nil:
		h.Auth, err = r.value(factLevel)
		return err
	case key == "auth" || key == "resume":
		return Errorf(Malformed, "HELLO has two values for %s", key)
	}
	_, err = r.value(factLevel)
	return err
}

// JoinRequest is a client's wish for a room.
type JoinRequest struct {
	Channel uint32
	How     How
	Name    string // the kind's name or, for JoinByID, the room's id
	Options []byte // one checked msgpack value; aliases the frame
}

// Join reads the rest of a JOIN of n elements.
func (r *Reader) Join(n int) (j JoinRequest, err error) {
	if err = needElements(n, 4); err != nil {
		return j, err
	}
	if j.Channel, err = r.channel(); err != nil {
		return j, err
	}
	how, err := r.element(uint64(JoinByID), "how")
	if err != nil {
		return j, err
	}
	j.How = How(how)
	if j.Name, err = r.text(MaxName, "name"); err != nil {
		return j, err
	}
	if j.Name == "" {
		return j, Errorf(Malformed, "JOIN names neither a kind nor a room")
	}
	if j.Options, err = r.value(elementLevel); err != nil {
		return j, err
	}
	return j, r.finish(n - 4)
}

// Leave reads the rest of a LEAVE of n elements.
func (r *Reader) Leave(n int) (channel uint32, err error) {
	if err = needElements(n, 1); err != nil {
		return 0, err
	}
	if channel, err = r.channel(); err != nil {
		return 0, err
	}
	return channel, r.finish(n - 1)
}

// Stamp reads the rest of a PING or PONG of n elements.
func (r *Reader) Stamp(n int) (stamp uint64, err error) {
	if err = needElements(n, 1); err != nil {
		return 0, err
	}
	if stamp, err = r.element(maxNumber, "stamp"); err != nil {
		return 0, err
	}
	return stamp, r.finish(n - 1)
}

// Reasoned is a LEFT, a NOTICE or a BYE: what ended, and why.
type Reasoned struct {
	Channel uint32 // LEFT and NOTICE
	Code    Code
	Reason  string
	Seq     uint64 // NOTICE: the packet that was dropped
	Delay   int    // BYE: milliseconds to wait before coming back
	Address string // BYE: where to come back to; empty: the same place
}

// Texts from a server are read somewhat longer than MaxReason, for the sake of servers that count otherwise.
const (
	maxReadReason = 1 << 10
	maxAddress    = 1 << 10
)

// Reasoned reads the rest of a server's LEFT, NOTICE or BYE of n elements.
func (r *Reader) Reasoned(t FrameType, n int) (e Reasoned, err error) {
	want := 3 // LEFT and BYE
	if t == FrameNotice {
		want = 4
	}
	if err = needElements(n, want); err != nil {
		return e, err
	}
	if t != FrameBye {
		if e.Channel, err = r.channel(); err != nil {
			return e, err
		}
	}
	u, err := r.element(1<<16-1, "code")
	if err != nil {
		return e, err
	}
	e.Code = Code(u)
	if e.Reason, err = r.text(maxReadReason, "reason"); err != nil {
		return e, err
	}
	if t == FrameLeft {
		return e, r.finish(n - want)
	}
	if t == FrameNotice {
		e.Seq, err = r.element(maxNumber, "sequence number")
	} else {
		e.Delay, err = r.count("delay")
	}
	if err == nil && t == FrameBye && n > want {
		want++ // servers before RESUMED did not send it
		e.Address, err = r.text(maxAddress, "address")
	}
	if err != nil {
		return e, err
	}
	return e, r.finish(n - want)
}

// Names reads the rest of a NAMES of n elements.
func (r *Reader) Names(n int) (first int, names []string, err error) {
	if err = needElements(n, 2); err != nil {
		return 0, nil, err
	}
	u, err := r.element(1<<20, "index")
	if err != nil {
		return 0, nil, err
	}
	if names, err = r.names(); err != nil {
		return 0, nil, err
	}
	return int(u), names, r.finish(n - 2)
}

func (r *Reader) names() ([]string, error) {
	n, err := r.Array()
	if err != nil {
		return nil, asMalformed(err)
	}
	names := make([]string, 0, n)
	for range n {
		name, err := r.text(MaxName, "event name")
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}
