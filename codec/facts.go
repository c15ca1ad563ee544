package codec

import "unicode/utf8"

// Welcome is what the server answers to a HELLO.
type Welcome struct {
	Version  int
	Session  string // "sid": the session's public name, for logs
	Token    string // what resumes the session; empty: nothing does; a secret
	Resumed  bool   // the session is the one that HELLO wanted to resume
	Ping     int    // "ping": milliseconds between the server's PINGs; 0: never
	Names    []string
	Limits   Limits
	Rooms    int // "limits.rooms": channels at once
	Requests int // "limits.requests": unanswered requests at once, per channel
}

// AppendWelcome appends a WELCOME.
func AppendWelcome(b []byte, w Welcome) []byte {
	b = AppendUint(AppendFrame(b, FrameWelcome, 2), uint64(w.Version))
	facts := 4
	if w.Token != "" {
		facts++
	}
	if w.Resumed {
		facts++
	}
	b = AppendStr(AppendStr(AppendMap(b, facts), "sid"), w.Session)
	if w.Token != "" {
		b = AppendStr(AppendStr(b, "token"), w.Token)
	}
	if w.Resumed {
		b = AppendBool(AppendStr(b, "resumed"), true)
	}
	b = AppendUint(AppendStr(b, "ping"), uint64(w.Ping))
	b = AppendArray(AppendStr(b, "names"), len(w.Names))
	for _, name := range w.Names {
		b = AppendStr(b, name)
	}
	b = AppendMap(AppendStr(b, "limits"), 6)
	b = AppendUint(AppendStr(b, "frame"), uint64(w.Limits.Frame))
	b = AppendUint(AppendStr(b, "packets"), uint64(w.Limits.Packets))
	b = AppendUint(AppendStr(b, "depth"), uint64(w.Limits.Depth))
	b = AppendUint(AppendStr(b, "elements"), uint64(w.Limits.Elements))
	b = AppendUint(AppendStr(b, "rooms"), uint64(w.Rooms))
	return AppendUint(AppendStr(b, "requests"), uint64(w.Requests))
}

// Welcome reads the rest of a WELCOME of n elements.
func (r *Reader) Welcome(n int) (w Welcome, err error) {
	if w.Version, err = r.version(n); err != nil {
		return w, err
	}
	if err = needElements(n, 2); err != nil {
		return w, err
	}
	err = r.facts(func(key string) (err error) {
		switch key {
		case "sid":
			w.Session, err = r.text(MaxName, "sid")
		case "token":
			w.Token, err = r.text(MaxToken, "token")
		case "resumed":
			w.Resumed, err = r.Bool()
		case "ping":
			w.Ping, err = r.count("ping")
		case "names":
			w.Names, err = r.names()
		case "limits":
			err = r.facts(func(key string) error { return r.limit(key, &w) })
		default:
			_, err = r.value(factLevel)
		}
		return err
	})
	if err != nil {
		return w, err
	}
	return w, r.finish(n - 2)
}

func (r *Reader) limit(key string, w *Welcome) (err error) {
	switch key {
	case "frame":
		w.Limits.Frame, err = r.count(key)
	case "packets":
		w.Limits.Packets, err = r.count(key)
	case "depth":
		w.Limits.Depth, err = r.count(key)
	case "elements":
		w.Limits.Elements, err = r.count(key)
	case "rooms":
		w.Rooms, err = r.count(key)
	case "requests":
		w.Requests, err = r.count(key)
	default:
		_, err = r.value(factLevel + 1)
	}
	return err
}

// Joined is what the server answers to a JOIN that succeeded.
type Joined struct {
	Channel uint32
	Room    string // the room's id
	Kind    string
	Client  uint32 // the client's number in the room, never 0
	Tick    uint64 // the room's current tick
	Rate    int    // ticks a second; 0: event-driven
	Acks    int    // milliseconds within which ticks are to be acknowledged
}

// AppendJoined appends a JOINED.
func AppendJoined(b []byte, j Joined) []byte {
	b = AppendUint(AppendFrame(b, FrameJoined, 2), uint64(j.Channel))
	b = AppendMap(b, 6)
	b = AppendStr(AppendStr(b, "room"), j.Room)
	b = AppendStr(AppendStr(b, "kind"), j.Kind)
	b = AppendUint(AppendStr(b, "client"), uint64(j.Client))
	b = AppendUint(AppendStr(b, "tick"), j.Tick)
	b = AppendUint(AppendStr(b, "rate"), uint64(j.Rate))
	return AppendUint(AppendStr(b, "acks"), uint64(j.Acks))
}

// Joined reads the rest of a JOINED of n elements.
func (r *Reader) Joined(n int) (j Joined, err error) {
	if err = needElements(n, 2); err != nil {
		return j, err
	}
	if j.Channel, err = r.channel(); err != nil {
		return j, err
	}
	err = r.facts(func(key string) (err error) {
		var u uint64
		switch key {
		case "room":
			j.Room, err = r.text(MaxName, "room")
		case "kind":
			j.Kind, err = r.text(MaxName, "kind")
		case "client":
			u, err = r.element(1<<32-1, "client")
			j.Client = uint32(u)
		case "tick":
			j.Tick, err = r.element(maxNumber, "tick")
		case "rate":
			j.Rate, err = r.count("rate")
		case "acks":
			j.Acks, err = r.count("acks")
		default:
			_, err = r.value(factLevel)
		}
		return err
	})
	if err != nil {
		return j, err
	}
	return j, r.finish(n - 2)
}

// facts reads a map with string keys and calls each for every key, which must read the value.
func (r *Reader) facts(each func(key string) error) error {
	n, err := r.Map()
	if err != nil {
		return asMalformed(err)
	}
	for range n {
		key, err := r.text(MaxName, "key")
		if err != nil {
			return err
		}
		if err := each(key); err != nil {
			return asMalformed(err)
		}
	}
	return nil
}

// count reads a number that fits an int on every platform.
func (r *Reader) count(what string) (int, error) {
	u, err := r.element(1<<31-1, what)
	return int(u), err
}

// CutReason shortens a reason to MaxReason bytes of valid UTF-8.
func CutReason(s string) string {
	if len(s) <= MaxReason {
		if utf8.ValidString(s) {
			return s
		}
		return cutValid(s)
	}
	return cutValid(s[:MaxReason])
}

func cutValid(s string) string {
	for i, c := range s {
		if c == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size <= 1 {
				return s[:i]
			}
		}
	}
	return s
}
