package codec

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestPutVolley(t *testing.T) {
	numbers := []uint64{0, 127, 128, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, 1 << 53, math.MaxUint64}
	for _, channel := range []uint32{0, 127, 128, 65535, math.MaxUint32} {
		for i, a := range numbers {
			b := numbers[(i+3)%len(numbers)]
			for _, count := range []int{0, 1, 15, 16, 65535, 65536, math.MaxUint32} {
				buf := bytes.Repeat([]byte{0xee}, MaxPrefix+4)
				start := PutVolley(buf, MaxPrefix, channel, a, b, count)
				want := AppendUint(AppendFrame(nil, FrameVolley, 4), uint64(channel))
				want = AppendArray(AppendUint(AppendUint(want, a), b), count)
				if start < 0 || !bytes.Equal(buf[start:MaxPrefix], want) {
					t.Fatalf("%d %d %d %d: %x, want %x", channel, a, b, count, buf[start:MaxPrefix], want)
				}
				if bytes.Trim(buf[:start], "\xee") != nil && len(bytes.Trim(buf[:start], "\xee")) != 0 ||
					!bytes.Equal(buf[MaxPrefix:], []byte{0xee, 0xee, 0xee, 0xee}) {
					t.Fatalf("%d %d %d %d: bytes outside the prefix were written", channel, a, b, count)
				}
			}
		}
	}
}

func TestPacketsRoundTrip(t *testing.T) {
	payload := []byte{0x81, 0xa2, 'D', 'Y', 0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0}
	name := strings.Repeat("n", MaxName)
	body := append(AppendEvent(nil, 0), payload...)
	body = append(AppendEvent(body, math.MaxInt32), payload...)
	body = append(AppendNamedEvent(body, name), 0xc0)
	body = AppendUint(append(AppendRequest(body, 300, ""), payload...), 1)
	body = AppendUint(append(AppendRequest(body, -1, "ask"), 0x05), math.MaxUint32)
	body = AppendUint(append(AppendReply(body), payload...), 128)
	body = AppendFailure(body, "no handler", 9)
	want := []Packet{
		{Payload: payload},
		{Index: math.MaxInt32, Payload: payload},
		{Index: NoIndex, Name: []byte(name), Payload: []byte{0xc0}},
		{Kind: Request, Index: 300, ID: 1, Payload: payload},
		{Kind: Request, Index: NoIndex, Name: []byte("ask"), ID: math.MaxUint32, Payload: []byte{5}},
		{Kind: Reply, Index: NoIndex, ID: 128, Payload: payload},
		{Kind: Failure, Index: NoIndex, ID: 9, Payload: AppendStr(nil, "no handler")},
	}
	buf := append(make([]byte, MaxPrefix), body...)
	b := buf[PutVolley(buf, MaxPrefix, 2, 1000, 1<<40, len(want)):]

	client, err := readClientFrame(b, ClientLimits)
	if err != nil || !reflect.DeepEqual(client.Packets, want) || client.Volley != (Volley{2, 1000, 1 << 40}) {
		t.Errorf("from a client: %+v, %v", client, err)
	}
	server, err := readServerFrame(b)
	if err != nil || !reflect.DeepEqual(server.Packets, want) || server.Server != (ServerVolley{2, 1000, 1 << 40}) {
		t.Errorf("from a server: %+v, %v", server, err)
	}
	for n := range b {
		_, err := readClientFrame(b[:n], ClientLimits)
		wantCode(t, err, Malformed)
	}
}

func TestVolleyErrors(t *testing.T) {
	name65 := "d9 41" + strings.Repeat("78", 65)
	deep := func(n int) string { return strings.Repeat("91", n) + "c0" }
	cases := []struct {
		name, hex string
		want      Code
	}{
		{"no packets", "95 00 00 01 00 90", 0},
		{"one more element", "96 00 00 01 00 90 c0", 0},
		{"trailing bytes", "95 00 00 01 00 90 c0", Malformed},
		{"no packets' array", "94 00 00 01 00", Malformed},
		{"packets nil", "95 00 00 01 00 c0", Malformed},
		{"a packet that is nil", "95 00 00 01 00 91 c0", Malformed},
		{"channel 65536", "95 00 ce 00010000 01 00 90", BadChannel},
		{"a negative sequence number", "95 00 00 ff 00 90", Malformed},
		{"a tick beyond 2^53", "95 00 00 01 cf 0020000000000001 90", Malformed},
		{"an empty packet", "95 00 00 01 00 91 90", Malformed},
		{"a packet without a payload", "95 00 00 01 00 91 91 00", Malformed},
		{"event 0", "95 00 00 01 00 91 92 00 c0", 0},
		{"event 0.0", "95 00 00 01 00 91 92 ca 00000000 c0", 0},
		{"event 0.5", "95 00 00 01 00 91 92 ca 3f000000 c0", Malformed},
		{"event nil", "95 00 00 01 00 91 92 c0 c0", Malformed},
		{"event 2^31", "95 00 00 01 00 91 92 ce 80000000 c0", Malformed},
		{"event -3", "95 00 00 01 00 91 93 fd c0 01", Malformed},
		{"an empty name", "95 00 00 01 00 91 92 a0 c0", Malformed},
		{"a name of 65 bytes", "95 00 00 01 00 91 92" + name65 + "c0", Malformed},
		{"a name not UTF-8", "95 00 00 01 00 91 92 a1 80 c0", Malformed},
		{"a name with a wide header", "95 00 00 01 00 91 92 db 00000001 78 c0", 0},
		{"a request", "95 00 00 01 00 91 93 00 c0 01", 0},
		{"a request with id 0", "95 00 00 01 00 91 93 00 c0 00", Malformed},
		{"a request with id 2^32", "95 00 00 01 00 91 93 00 c0 cf 0000000100000000", Malformed},
		{"a request with an id that is text", "95 00 00 01 00 91 93 00 c0 a0", Malformed},
		{"a request and one more element", "95 00 00 01 00 91 94 00 c0 01 81 a0 c0", 0},
		{"a reply", "95 00 00 01 00 91 93 ff c0 01", 0},
		{"a reply, -1 in eight bytes", "95 00 00 01 00 91 93 d3 ffffffffffffffff c0 01", 0},
		{"a reply, -1.0", "95 00 00 01 00 91 93 ca bf800000 c0 01", 0},
		{"a reply without an id", "95 00 00 01 00 91 92 ff c0", Malformed},
		{"a failure", "95 00 00 01 00 91 93 fe a2 6e6f 01", 0},
		{"a failure without an id", "95 00 00 01 00 91 92 fe a0", Malformed},
		{"a failure whose text is a number", "95 00 00 01 00 91 93 fe 05 01", Malformed},
		{"a payload 13 deep", "95 00 00 01 00 91 92 00" + deep(13), 0},
		{"a payload 14 deep", "95 00 00 01 00 91 92 00" + deep(14), TooComplex},
		{"a payload with a map in a map", "95 00 00 01 00 91 92 00 81 a1 78 81 01 c0", 0},
		{"a payload with a map's key true", "95 00 00 01 00 91 92 00 81 c3 c0", Malformed},
		{"a payload of 0xc1", "95 00 00 01 00 91 92 00 c1", Malformed},
		{"257 packets", "95 00 00 01 00 dc 0101" + strings.Repeat("92 00 c0", 257), TooComplex},
		{"256 packets", "95 00 00 01 00 dc 0100" + strings.Repeat("92 00 c0", 256), 0},
		{"4096 values", "95 00 00 01 00 91 92 00 dc 0ff7" + strings.Repeat("c0", 4087), 0},
		{"4097 values", "95 00 00 01 00 91 92 00 dc 0ff8" + strings.Repeat("c0", 4088), TooComplex},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := readClientFrame(unhex(t, c.hex), ClientLimits)
			wantCode(t, err, c.want)
		})
	}
}

// TestPacketsKeepsDst: packets are appended, and an error leaves what was there.
func TestPacketsKeepsDst(t *testing.T) {
	old := []Packet{{Kind: Reply, ID: 7}}
	for s, want := range map[string]int{
		"95 00 00 01 00 91 92 00 c0":          2,
		"95 00 00 01 00 92 92 00 c0 92 00 c1": 1,
	} {
		r := NewReader(unhex(t, s), ClientLimits)
		_, n, _ := r.Frame()
		if _, err := r.ClientVolley(n); err != nil {
			t.Fatal(err)
		}
		got, err := r.Packets(n, old)
		if len(got) != want || !reflect.DeepEqual(got[0], old[0]) || (err == nil) != (want == 2) {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
}
