package codec

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestClientFramesRoundTrip(t *testing.T) {
	long := strings.Repeat("k", MaxName)
	cases := []struct {
		name  string
		bytes []byte
		hex   string
		want  frame
	}{
		{"hello", AppendHello(nil, nil), "93 01 01 80", frame{Type: FrameHello, Hello: Hello{Version: 1}}},
		{"hello with auth", AppendHello(nil, AppendStr(nil, "x")), "93 01 01 81 a4 61757468 a1 78",
			frame{Type: FrameHello, Hello: Hello{Version: 1, Auth: []byte{0xa1, 'x'}}}},
		{"hello with nil auth", AppendHello(nil, AppendNil(nil)), "93 01 01 81 a4 61757468 c0",
			frame{Type: FrameHello, Hello: Hello{Version: 1, Auth: []byte{0xc0}}}},
		{"hello that resumes", AppendResume(nil, nil, Resume{Token: "t", Channels: []Processed{{Channel: 2, Joining: true}, {Channel: 0, Tick: 121}}}),
			"93 01 01 81 a6 726573756d65 92 a1 74 92 92 02 c0 92 00 79", frame{Type: FrameHello, Hello: Hello{Version: 1,
				Resume: &Resume{Token: "t", Channels: []Processed{{Channel: 2, Joining: true}, {Channel: 0, Tick: 121}}}}}},
		{"hello that resumes nothing, with auth", AppendResume(nil, AppendNil(nil), Resume{Token: long}), "",
			frame{Type: FrameHello, Hello: Hello{Version: 1, Auth: []byte{0xc0}, Resume: &Resume{Token: long, Channels: []Processed{}}}}},
		{"bye", AppendClientBye(nil, Normal, "done"), "93 0b cd 03e8 a4 646f6e65",
			frame{Type: FrameBye, Bye: &Error{Code: Normal, Reason: "done"}}},
		{"join", AppendJoin(nil, 0, JoinOrCreate, "pong", nil), "95 03 00 00 a4 706f6e67 c0",
			frame{Type: FrameJoin, Join: JoinRequest{Name: "pong", Options: []byte{0xc0}}}},
		{"join by id", AppendJoin(nil, 65535, JoinByID, long, []byte{0x91, 0x01}), "",
			frame{Type: FrameJoin, Join: JoinRequest{Channel: 65535, How: JoinByID, Name: long, Options: []byte{0x91, 1}}}},
		{"leave", AppendLeave(nil, 200), "92 05 cc c8", frame{Type: FrameLeave, Channel: 200}},
		{"ping", AppendPing(nil, 1<<53), "92 07 cf 0020000000000000", frame{Type: FramePing, Stamp: 1 << 53}},
		{"pong", AppendPong(nil, 0), "92 08 00", frame{Type: FramePong}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.hex != "" && !bytes.Equal(c.bytes, unhex(t, c.hex)) {
				t.Errorf("bytes %x, want %s", c.bytes, c.hex)
			}
			got, err := readClientFrame(c.bytes, ClientLimits)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("read %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

func TestServerFramesRoundTrip(t *testing.T) {
	welcome := Welcome{Version: 1, Session: "f3", Ping: 25000, Names: []string{"move", "state"},
		Limits: ClientLimits, Rooms: 16, Requests: 32}
	joined := Joined{Channel: 3, Room: "k3v9", Kind: "pong", Client: 7, Tick: 120, Rate: 60, Acks: 500}
	again := Welcome{Version: 1, Session: "f3", Token: strings.Repeat("t", MaxToken), Resumed: true, Names: []string{}}
	many := make([]string, 300)
	for i := range many {
		many[i] = strings.Repeat("n", i%65)
	}
	cases := []struct {
		name  string
		bytes []byte
		want  frame
	}{
		{"welcome", AppendWelcome(nil, welcome), frame{Type: FrameWelcome, Welcome: welcome}},
		{"welcome of nothing", AppendWelcome(nil, Welcome{Version: 1}),
			frame{Type: FrameWelcome, Welcome: Welcome{Version: 1, Names: []string{}}}},
		{"joined", AppendJoined(nil, joined), frame{Type: FrameJoined, Joined: joined}},
		{"welcome back", AppendWelcome(nil, again), frame{Type: FrameWelcome, Welcome: again}},
		{"resumed", AppendResumed(nil, 65535, 1<<53), frame{Type: FrameResumed, Channel: 65535, Number: 1 << 53}},
		{"resync", AppendResync(nil, 1, 300), frame{Type: FrameResync, Channel: 1, Number: 300}},
		{"left", AppendLeft(nil, 1, Kicked, "bye"),
			frame{Type: FrameLeft, Reasoned: Reasoned{Channel: 1, Code: Kicked, Reason: "bye"}}},
		{"notice", AppendNotice(nil, 1, UnknownEvent, "", 1<<40),
			frame{Type: FrameNotice, Reasoned: Reasoned{Channel: 1, Code: UnknownEvent, Seq: 1 << 40}}},
		{"bye", AppendBye(nil, GoingAway, "restart", 1500, ""),
			frame{Type: FrameBye, Reasoned: Reasoned{Code: GoingAway, Reason: "restart", Delay: 1500}}},
		{"bye with a negative delay", AppendBye(nil, Normal, "", -1, "wss://b.example/volley"), frame{Type: FrameBye, Reasoned: Reasoned{Code: Normal, Address: "wss://b.example/volley"}}},
		{"names", AppendNames(nil, 300, many), frame{Type: FrameNames, First: 300, Names: many}},
		{"ping", AppendPing(nil, 77), frame{Type: FramePing, Stamp: 77}},
		{"pong", AppendPong(nil, 77), frame{Type: FramePong, Stamp: 77}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := readServerFrame(c.bytes)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("read %+v, %v; want %+v", got, err, c.want)
			}
			// A later version may add elements; bytes after the array are never allowed.
			more := bytes.Clone(c.bytes)
			more[0]++
			if _, err := readServerFrame(append(more, 0x81, 0xa1, 'x', 0xc0)); err != nil {
				t.Errorf("with one more element: %v", err)
			}
			_, err = readServerFrame(append(bytes.Clone(c.bytes), 0xc0))
			wantCode(t, err, Malformed)
			for n := range c.bytes {
				if _, err := readServerFrame(c.bytes[:n]); codeOf(t, err) != Malformed {
					t.Errorf("cut to %d bytes: %v", n, err)
				}
			}
		})
	}
}

// TestFactsNotKnownAreIgnored: a later server may say more.
func TestFactsNotKnownAreIgnored(t *testing.T) {
	for _, s := range []string{
		"93 02 01 82 a3 6e6577 92 01 81 a1 61 c0 a4 70696e67 05",
		"93 04 00 82 a3 6e6577 92 01 81 a1 61 c0 a6 636c69656e74 05",
		"93 02 01 81 a6 6c696d697473 82 a3 6e6577 91 c0 a5 6672616d65 05",
	} {
		if _, err := readServerFrame(unhex(t, s)); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestClientFrameErrors(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("91", n) + "c0" }
	cases := []struct {
		name, hex string
		want      Code
	}{
		{"nothing", "", Malformed},
		{"an empty array", "90", Malformed},
		{"a map", "81 01 01", Malformed},
		{"a scalar", "07", Malformed},
		{"0xc1", "c1", Malformed},
		{"no type", "91", Malformed},
		{"a type that is text", "91 a1 78", Malformed},
		{"a negative type", "91 ff", Malformed},
		{"half a type", "92 cb 3fe0000000000000 00", Malformed},
		{"a type of the future", "91 0e", UnexpectedFrame},
		{"a huge type", "91 cf ffffffffffffffff", UnexpectedFrame},
		{"a server's type", "93 02 01 80", UnexpectedFrame},
		{"bytes after the frame", "92 07 01 00", Malformed},

		{"hello", "93 01 01 80", 0},
		{"hello, version a float", "93 01 ca 3f800000 80", 0},
		{"hello, one more element", "94 01 01 80 91 01", 0},
		{"hello, an option of the future", "93 01 01 81 a1 78 91 c0", 0},
		{"hello, version 2", "93 01 02 80", UnsupportedVersion},
		{"hello, version 2 of another shape", "92 01 02", UnsupportedVersion},
		{"hello, version 0", "93 01 00 80", UnsupportedVersion},
		{"hello without a version", "91 01", Malformed},
		{"hello without options", "92 01 01", Malformed},
		{"hello, options nil", "93 01 01 c0", Malformed},
		{"hello, an option's key is a number", "93 01 01 81 01 01", Malformed},
		{"hello, auth twice", "93 01 01 82 a4 61757468 01 a4 61757468 01", Malformed},
		{"hello, auth 14 deep", "93 01 01 81 a4 61757468" + deep(14), 0},
		{"hello, auth 15 deep", "93 01 01 81 a4 61757468" + deep(15), TooComplex},

		{"resume", "93 01 01 81 a6 726573756d65 92 a1 74 92 92 00 05 92 01 c0", 0},
		{"resume, elements of the future", "93 01 01 81 a6 726573756d65 94 a1 74 91 93 00 05 91 c0 c0 80", 0},
		{"resume nil", "93 01 01 81 a6 726573756d65 c0", Malformed},
		{"resume, a bomb", "93 01 01 81 a6 726573756d65 92 a1 74 dd 00010000", Malformed},
		{"resume, more channels than values may be", "93 01 01 81 a6 726573756d65 92 a1 74 dc 2000" + strings.Repeat("92 00 05", 0x2000), TooComplex},
		{"resume, a channel twice", "93 01 01 81 a6 726573756d65 92 a1 74 92 92 00 05 92 00 c0", Malformed},
		{"resume, half a tick", "93 01 01 81 a6 726573756d65 92 a1 74 91 92 00 cb 3fe0000000000000", Malformed},
		{"resume, the future 12 deep", "93 01 01 81 a6 726573756d65 93 a1 74 90" + deep(13), 0},
		{"resume, the future 14 deep", "93 01 01 81 a6 726573756d65 93 a1 74 90" + deep(14), TooComplex},
		{"bye", "93 0b cd 03e8 a0", 0},
		{"bye, one more element", "94 0b cd 03e8 a0 90", 0},
		{"bye without a reason", "92 0b 01", Malformed},
		{"bye, a reason that is a number", "93 0b 01 01", Malformed},
		{"join", "95 03 00 00 a1 78 c0", 0},
		{"join, one more element", "96 03 00 00 a1 78 c0 c0", 0},
		{"join, wide numbers", "95 03 cf 0000000000000000 cd 0001 d9 01 78 c0", 0},
		{"join without options", "94 03 00 00 a1 78", Malformed},
		{"join, channel 65535", "95 03 cd ffff 00 a1 78 c0", 0},
		{"join, channel 65536", "95 03 ce 00010000 00 a1 78 c0", BadChannel},
		{"join, channel -1", "95 03 ff 00 a1 78 c0", Malformed},
		{"join, channel text", "95 03 a0 00 a1 78 c0", Malformed},
		{"join, how 4", "95 03 00 04 a1 78 c0", Malformed},
		{"join, name a number", "95 03 00 00 01 c0", Malformed},
		{"join, name too long", "95 03 00 00 d9 41" + strings.Repeat("78", 65) + "c0", Malformed},
		{"join, name not UTF-8", "95 03 00 00 a1 ff c0", Malformed},
		{"join, options 15 deep", "95 03 00 00 a1 78" + deep(15), 0},
		{"join, options 16 deep", "95 03 00 00 a1 78" + deep(16), TooComplex},
		{"join, options an extension", "95 03 00 00 a1 78 d4 01 00", Malformed},

		{"leave", "92 05 00", 0},
		{"leave without a channel", "91 05", Malformed},
		{"leave, channel out of range", "92 05 ce 7fffffff", BadChannel},
		{"ping", "92 07 cb 4059000000000000", 0},
		{"ping without a stamp", "91 07", Malformed},
		{"ping, a negative stamp", "92 07 d0 80", Malformed},
		{"ping, half a stamp", "92 07 cb 3fe0000000000000", Malformed},
		{"ping, a stamp of 2^53+1", "92 07 cf 0020000000000001", Malformed},
		{"pong", "92 08 00", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := readClientFrame(unhex(t, c.hex), ClientLimits)
			wantCode(t, err, c.want)
		})
	}
}

func TestServerFrameErrors(t *testing.T) {
	cases := []struct {
		name, hex string
		want      Code
	}{
		{"welcome, version 2", "93 02 02 80", UnsupportedVersion},
		{"welcome, sid a number", "93 02 01 81 a3 736964 01", Malformed},
		{"welcome, names a number", "93 02 01 81 a5 6e616d6573 01", Malformed},
		{"welcome, names of numbers", "93 02 01 81 a5 6e616d6573 91 01", Malformed},
		{"welcome, limits a number", "93 02 01 81 a6 6c696d697473 01", Malformed},
		{"welcome, a limit that is text", "93 02 01 81 a6 6c696d697473 81 a5 6672616d65 a0", Malformed},
		{"joined, client beyond 32 bits", "93 04 00 81 a6 636c69656e74 cf 0000000100000000", Malformed},
		{"joined, facts an array", "93 04 00 90", Malformed},
		{"left, code beyond 16 bits", "94 06 00 ce 00010000 a0", Malformed},
		{"left without a reason", "93 06 00 01", Malformed},
		{"bye, delay beyond 31 bits", "94 0b 01 a0 ce 80000000", Malformed},
		{"bye of an older server", "94 0b 01 a0 05", 0},
		{"bye, an address that is nil", "95 0b 01 a0 05 c0", Malformed},
		{"resumed without a number", "92 0c 00", Malformed},
		{"resync, a negative tick", "93 0d 00 ff", Malformed},
		{"resync, channel out of range", "93 0d ce 00010000 00", BadChannel},
		{"welcome, resumed a number", "93 02 01 81 a7 726573756d6564 01", Malformed},
		{"welcome, token too long", "93 02 01 81 a5 746f6b656e da 0101" + strings.Repeat("78", 257), Malformed},
		{"notice without a number", "94 0a 00 01 a0", Malformed},
		{"names that are too many for the bytes", "93 09 00 dd ffffffff", Malformed},
		{"a client's type", "92 05 00", UnexpectedFrame},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := readServerFrame(unhex(t, c.hex))
			wantCode(t, err, c.want)
		})
	}
}

func TestCutReason(t *testing.T) {
	long := strings.Repeat("é", 100) // two bytes each
	cases := []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		{"\uFFFD is a rune", "\uFFFD is a rune"},
		{"bad \xff byte", "bad "},
		{strings.Repeat("x", 123), strings.Repeat("x", 123)},
		{strings.Repeat("x", 124), strings.Repeat("x", 123)},
		{long, long[:122]},
	}
	for _, c := range cases {
		if got := CutReason(c.in); got != c.want {
			t.Errorf("CutReason(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
