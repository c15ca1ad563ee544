package codec

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"
)

// golden is ../testdata/wire/frames.json; its README says what is what.
type golden struct {
	Version int
	Frames  []goldenFrame
	Wide    []goldenFrame
	Bad     []struct {
		Name, Hex, State, Layer string
		Code                    Code
	}
}

type goldenFrame struct {
	Name, From, Hex string
	Value           json.RawMessage
}

func readGolden(t *testing.T) (g golden) {
	t.Helper()
	b, err := os.ReadFile("../testdata/wire/frames.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	if g.Version != Version || len(g.Frames) == 0 || len(g.Bad) == 0 {
		t.Fatalf("version %d, %d frames, %d bad ones", g.Version, len(g.Frames), len(g.Bad))
	}
	return g
}

func TestGoldenFrames(t *testing.T) {
	g := readGolden(t)
	for i, c := range slices.Concat(g.Frames, g.Wide) {
		t.Run(c.From+"/"+c.Name, func(t *testing.T) {
			b := unhex(t, c.Hex)
			read := readServerFrame
			if c.From == "client" {
				read = func(b []byte) (frame, error) { return readClientFrame(b, ClientLimits) }
			}
			f, err := read(b)
			if err != nil {
				t.Fatal(err)
			}
			value := parseJSON(t, c.Value)
			var got any
			if err := Unmarshal(b, &got); err != nil {
				t.Fatal(err)
			}
			if want := value.plain(); !reflect.DeepEqual(wholeFloats(got), want) {
				t.Errorf("decoded to %#v, want %#v", got, want)
			}
			if i >= len(g.Frames) {
				return // a wide one: nobody writes it
			}
			if canonical := value.append(nil); !bytes.Equal(canonical, b) {
				t.Errorf("the value encodes to %x", canonical)
			}
			if again, complete := rebuild(f, len(value.list)); complete && !bytes.Equal(again, b) {
				t.Errorf("built again: %x", again)
			}
		})
	}
}

// rebuild makes a frame out of what was read, elements being those of the frame's array; not if it holds more than this
// version knows.
func rebuild(f frame, elements int) ([]byte, bool) {
	switch f.Type {
	case FrameHello:
		if f.Hello.Resume != nil {
			return AppendResume(nil, f.Hello.Auth, *f.Hello.Resume), elements == 3
		}
		return AppendHello(nil, f.Hello.Auth), elements == 3
	case FrameJoin:
		return AppendJoin(nil, f.Join.Channel, f.Join.How, f.Join.Name, f.Join.Options), elements == 5
	case FrameLeave:
		return AppendLeave(nil, f.Channel), elements == 2
	case FramePing:
		return AppendPing(nil, f.Stamp), elements == 2
	case FramePong:
		return AppendPong(nil, f.Stamp), elements == 2
	case FrameWelcome:
		return AppendWelcome(nil, f.Welcome), elements == 3
	case FrameJoined:
		return AppendJoined(nil, f.Joined), elements == 3
	case FrameLeft:
		return AppendLeft(nil, f.Reasoned.Channel, f.Reasoned.Code, f.Reasoned.Reason), elements == 4
	case FrameNotice:
		return AppendNotice(nil, f.Reasoned.Channel, f.Reasoned.Code, f.Reasoned.Reason, f.Reasoned.Seq), elements == 5
	case FrameBye:
		if f.Bye != nil {
			return AppendClientBye(nil, f.Bye.Code, f.Bye.Reason), elements == 3
		}
		return AppendBye(nil, f.Reasoned.Code, f.Reasoned.Reason, f.Reasoned.Delay, f.Reasoned.Address), elements == 5
	case FrameResumed:
		return AppendResumed(nil, f.Channel, f.Number), elements == 3
	case FrameResync:
		return AppendResync(nil, f.Channel, f.Number), elements == 3
	case FrameNames:
		return AppendNames(nil, f.First, f.Names), elements == 3
	}
	b := make([]byte, MaxPrefix)
	for _, p := range f.Packets {
		switch {
		case p.Kind == Reply:
			b = AppendUint(append(AppendReply(b), p.Payload...), uint64(p.ID))
		case p.Kind == Failure:
			r := NewReader(p.Payload, ServerLimits)
			text, _ := r.Str()
			b = AppendFailure(b, string(text), p.ID)
		case p.Kind == Request:
			b = AppendUint(append(AppendRequest(b, int(p.Index), string(p.Name)), p.Payload...), uint64(p.ID))
		case p.Index == NoIndex:
			b = append(AppendNamedEvent(b, string(p.Name)), p.Payload...)
		default:
			b = append(AppendEvent(b, int(p.Index)), p.Payload...)
		}
	}
	v := f.Volley
	if v == (Volley{}) {
		v = Volley{f.Server.Channel, f.Server.Tick, f.Server.Ack}
	}
	return b[PutVolley(b, MaxPrefix, v.Channel, v.Seq, v.Tick, len(f.Packets)):], elements == 5
}

func TestGoldenBadFrames(t *testing.T) {
	for _, c := range readGolden(t).Bad {
		t.Run(c.Name, func(t *testing.T) {
			b := unhex(t, c.Hex)
			f, err := readClientFrame(b, ClientLimits)
			switch c.Layer {
			case "msgpack", "frame":
				wantCode(t, err, c.Code)
			case "payload":
				wantCode(t, err, 0)
				for _, p := range f.Packets {
					var v any
					wantCode(t, Unmarshal(p.Payload, &v), c.Code)
				}
			case "session": // the frame is good, or of a type that the reader of client frames does not know
				if err != nil {
					wantCode(t, err, c.Code)
				}
			default:
				t.Errorf("layer %q", c.Layer)
			}
		})
	}
}

// jsonValue is a value of the golden file with the order of its members.
type jsonValue struct {
	scalar any // nil, bool, json.Number, string, []byte, time.Time
	list   []jsonValue
	keys   []jsonValue // of a map, whose values are list
	kind   byte        // 's'calar, 'a'rray, 'm'ap
}

func parseJSON(t testing.TB, b []byte) jsonValue {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return parseTokens(t, d)
}

func parseTokens(t testing.TB, d *json.Decoder) jsonValue {
	t.Helper()
	token, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return jsonValue{scalar: token, kind: 's'}
	}
	v := jsonValue{kind: 'a'}
	if delim == '{' {
		v.kind = 'm'
	}
	for d.More() {
		if delim == '{' {
			v.keys = append(v.keys, parseTokens(t, d))
		}
		v.list = append(v.list, parseTokens(t, d))
	}
	d.Token()
	if len(v.keys) != 1 {
		return v
	}
	inner := v.list[0]
	switch v.keys[0].scalar {
	case "$bin":
		b, _ := hex.DecodeString(inner.scalar.(string))
		return jsonValue{scalar: b, kind: 's'}
	case "$ts":
		at, err := time.Parse(time.RFC3339Nano, inner.scalar.(string))
		if err != nil {
			t.Fatal(err)
		}
		return jsonValue{scalar: at, kind: 's'}
	case "$int":
		return jsonValue{scalar: json.Number(inner.scalar.(string)), kind: 's'}
	case "$map":
		m := jsonValue{kind: 'm'}
		for _, entry := range inner.list {
			m.keys = append(m.keys, entry.list[0])
			m.list = append(m.list, entry.list[1])
		}
		return m
	}
	return v
}

// number returns an int64, a uint64 or a float64.
func number(n json.Number) any {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return i
	}
	if u, err := strconv.ParseUint(string(n), 10, 64); err == nil {
		return u
	}
	f, _ := n.Float64()
	return f
}

// plain is what a decode into any gives, times as UTC.
func (v jsonValue) plain() any {
	switch v.kind {
	case 'a':
		list := make([]any, len(v.list))
		for i, e := range v.list {
			list[i] = e.plain()
		}
		return list
	case 'm':
		m, byKey := map[string]any{}, map[any]any{}
		for i, k := range v.keys {
			byKey[k.plain()] = v.list[i].plain()
			if name, ok := k.scalar.(string); ok {
				m[name] = v.list[i].plain()
			}
		}
		if len(m) == len(byKey) {
			return m
		}
		return byKey
	}
	if n, ok := v.scalar.(json.Number); ok {
		return number(n)
	}
	return v.scalar
}

// wholeFloats turns whole floats into integers, as JSON does not tell them apart, and times to UTC.
func wholeFloats(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && v >= -1<<63 && v < 1<<63 {
			return int64(v)
		}
	case time.Time:
		return v.UTC()
	case []any:
		for i := range v {
			v[i] = wholeFloats(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = wholeFloats(v[k])
		}
	case map[any]any:
		for k := range v {
			v[k] = wholeFloats(v[k])
		}
	}
	return v
}

// append encodes in the smallest form.
func (v jsonValue) append(b []byte) []byte {
	switch v.kind {
	case 'a':
		b = AppendArray(b, len(v.list))
	case 'm':
		b = AppendMap(b, len(v.list))
	}
	for i, e := range v.list {
		if v.kind == 'm' {
			b = v.keys[i].append(b)
		}
		b = e.append(b)
	}
	if v.kind != 's' {
		return b
	}
	switch s := v.plain().(type) {
	case nil:
		return AppendNil(b)
	case bool:
		return AppendBool(b, s)
	case string:
		return AppendStr(b, s)
	case int64:
		return AppendInt(b, s)
	case uint64:
		return AppendUint(b, s)
	case float64:
		if float64(float32(s)) == s {
			return binary.BigEndian.AppendUint32(append(b, 0xca), math.Float32bits(float32(s)))
		}
		return binary.BigEndian.AppendUint64(append(b, 0xcb), math.Float64bits(s))
	}
	b, err := NewEncoder().Append(b, v.scalar) // binary, timestamp
	if err != nil {
		panic(err)
	}
	return b
}
