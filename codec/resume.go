package codec

// MaxToken is the longest token that resumes a session, in bytes.
const MaxToken = 256

// Resume is a HELLO's wish to carry on a session.
type Resume struct {
	Token    string // a secret
	Channels []Processed
}

// Processed says how far a client is on one channel of the session that it carries on.
type Processed struct {
	Channel uint32
	Joining bool   // the JOIN on it has no answer yet
	Tick    uint64 // else the last tick that the client has processed
}

// resume reads HELLO's option of that name.
func (r *Reader) resume() (*Resume, error) {
	n, err := r.Array()
	if err != nil {
		return nil, asMalformed(err)
	}
	if n < 2 {
		return nil, Errorf(Malformed, "resume has %d elements and needs 2", n)
	}
	var w Resume
	if w.Token, err = r.text(MaxToken, "token"); err != nil {
		return nil, err
	}
	count, err := r.Array()
	if err != nil {
		return nil, asMalformed(err)
	}
	w.Channels = make([]Processed, 0, count)
	listed := make(map[uint32]bool, count)
	for range count {
		p, err := r.processed()
		if err != nil {
			return nil, err
		}
		if listed[p.Channel] {
			return nil, Errorf(Malformed, "resume lists channel %d twice", p.Channel)
		}
		listed[p.Channel] = true
		w.Channels = append(w.Channels, p)
	}
	return &w, r.skip(n-2, resumeLevel)
}

// processed reads one entry of resume's channels.
func (r *Reader) processed() (p Processed, err error) {
	n, err := r.Array()
	if err != nil {
		return p, asMalformed(err)
	}
	if n < 2 {
		return p, Errorf(Malformed, "a channel of resume has %d elements and needs 2", n)
	}
	if p.Channel, err = r.channel(); err != nil {
		return p, err
	}
	if p.Joining = r.Nil(); !p.Joining {
		if p.Tick, err = r.element(maxNumber, "tick"); err != nil {
			return p, err
		}
	}
	return p, r.skip(n-2, resumeLevel+2)
}

// skip passes over elements that a later version may have added.
func (r *Reader) skip(n, level int) error {
	for ; n > 0; n-- {
		if _, err := r.value(level); err != nil {
			return err
		}
	}
	return nil
}

// AppendResume appends a HELLO that carries on a session. auth is as for AppendHello.
func AppendResume(b, auth []byte, w Resume) []byte {
	b = append(AppendFrame(b, FrameHello, 2), Version)
	if auth == nil {
		b = AppendMap(b, 1)
	} else {
		b = append(AppendStr(AppendMap(b, 2), "auth"), auth...)
	}
	b = AppendStr(AppendArray(AppendStr(b, "resume"), 2), w.Token)
	b = AppendArray(b, len(w.Channels))
	for _, p := range w.Channels {
		b = AppendUint(AppendArray(b, 2), uint64(p.Channel))
		if p.Joining {
			b = AppendNil(b)
		} else {
			b = AppendUint(b, p.Tick)
		}
	}
	return b
}

// AppendResumed appends a RESUMED: seq is the client's last packet that has arrived.
func AppendResumed(b []byte, channel uint32, seq uint64) []byte {
	return AppendUint(AppendUint(AppendFrame(b, FrameResumed, 2), uint64(channel)), seq)
}

// AppendResync appends a RESYNC: what the client knew before tick is void.
func AppendResync(b []byte, channel uint32, tick uint64) []byte {
	return AppendUint(AppendUint(AppendFrame(b, FrameResync, 2), uint64(channel)), tick)
}

// Resumed reads the rest of a RESUMED of n elements.
func (r *Reader) Resumed(n int) (channel uint32, seq uint64, err error) {
	return r.channelAnd("sequence number", n)
}

// Resync reads the rest of a RESYNC of n elements.
func (r *Reader) Resync(n int) (channel uint32, tick uint64, err error) {
	return r.channelAnd("tick", n)
}

// channelAnd reads the rest of a frame of a channel and a number.
func (r *Reader) channelAnd(what string, n int) (channel uint32, number uint64, err error) {
	if err = needElements(n, 2); err != nil {
		return 0, 0, err
	}
	if channel, err = r.channel(); err != nil {
		return 0, 0, err
	}
	if number, err = r.element(maxNumber, what); err != nil {
		return 0, 0, err
	}
	return channel, number, r.finish(n - 2)
}

// AppendClientBye appends a client's BYE; a reason longer than MaxReason is cut.
func AppendClientBye(b []byte, code Code, reason string) []byte {
	return AppendStr(AppendUint(AppendFrame(b, FrameBye, 2), uint64(code)), CutReason(reason))
}

// ClientBye reads the rest of a client's BYE of n elements.
func (r *Reader) ClientBye(n int) (*Error, error) {
	if err := needElements(n, 2); err != nil {
		return nil, err
	}
	u, err := r.element(1<<16-1, "code")
	if err != nil {
		return nil, err
	}
	reason, err := r.text(maxReadReason, "reason")
	if err != nil {
		return nil, err
	}
	return &Error{Code: Code(u), Reason: reason}, r.finish(n - 2)
}
