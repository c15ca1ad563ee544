package volley_test

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/volley-go/volley/codec"
)

// event is a packet without a reply.
func event(name string, payload []byte) []byte {
	return append(codec.AppendNamedEvent(nil, name), payload...)
}

// roomAttacks are numbers and names that a room did not give, in frames that are well formed.
func roomAttacks() []attack {
	return slices.Concat(sequenceAttacks(), channelAttacks(), requestAttacks())
}

func sequenceAttacks() (list []attack) {
	text := event("line", unhex("a1 61"))
	for _, odd := range []struct {
		name   string
		frames [][]byte
		want   codec.Code
	}{
		{"a gap", [][]byte{volleyOf(2, 0, text)}, codec.BadSequence},
		{"a gap later", [][]byte{volleyOf(1, 0, text, text), volleyOf(4, 0, text)}, codec.BadSequence},
		{"number 0", [][]byte{volleyOf(0, 0, text)}, codec.BadSequence},
		{"number 2^53", [][]byte{volleyOf(1<<53, 0, text)}, codec.BadSequence},
		{"number 2^53+1", [][]byte{unhex("95 00 00 cf 0020000000000001 00 90")}, codec.Malformed},
		{"number 2^64-1, which a packet more would wrap", [][]byte{unhex("95 00 00 cf ffffffffffffffff 00 91 92 00 c0")}, codec.Malformed},
		{"number -1", [][]byte{unhex("95 00 00 ff 00 90")}, codec.Malformed},
		{"numbers that begin before and end behind the last", [][]byte{volleyOf(1, 0, text, text, text), volleyOf(2, 0, text, text, text)}, survives},
		{"a tick from the future", [][]byte{volleyOf(1, 1<<53, text), volleyOf(2, 1<<53)}, survives},
		{"a tick beyond 2^53", [][]byte{unhex("95 00 00 01 cf 0020000000000001 90")}, codec.Malformed},
		{"acknowledgements that go back", [][]byte{volleyOf(1, 1000), volleyOf(1, 5), volleyOf(1, 0), volleyOf(1, 999)}, survives},
		{"a tick that is NaN", [][]byte{unhex("95 00 00 01 cb 7ff8000000000000 90")}, codec.Malformed},
		{"acknowledgements with any number", [][]byte{volleyOf(1<<53, 0), volleyOf(0, 0), volleyOf(77, 0)}, survives},
	} {
		list = append(list, attack{name: odd.name, state: "any", want: odd.want, do: say(odd.frames...)})
	}
	return append(list, attack{name: "a packet a hundred times", state: "hall", want: survives, do: func(p *raw) {
		for range 100 {
			p.send(volleyOf(1, 0, event("loose", unhex("a9 6f6e63652d6f6e6c79"))))
		}
		n := 0
		for range 500 { // the room may be slower than the answer to a PING
			if n += p.count([]byte("once-only")); n > 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		n += p.count([]byte("once-only"))
		assert.Equal(p.t, 1, n, "times that it was processed")
	}})
}

// count counts a text in what comes, until the server has answered a PING.
func (r *raw) count(what []byte) (n int) {
	r.t.Helper()
	r.frames(func(frame []byte) { n += bytes.Count(frame, what) })
	return n
}

// frames shows what comes until the server has answered a request, and the PING behind it.
func (r *raw) frames(see func(frame []byte)) {
	r.t.Helper()
	r.pings++
	r.send(codec.AppendPing(nil, r.pings))
	pong := string(codec.AppendPong(nil, r.pings))
	for frame := r.receive(); string(frame) != pong; frame = r.receive() {
		if !assert.NotNil(r.t, frame, "the connection ended") {
			return
		}
		see(frame)
	}
}

// notices counts the codes of NOTICEs and LEFTs that come within a few ticks.
func (r *raw) notices(kind codec.FrameType) map[codec.Code]int {
	time.Sleep(30 * time.Millisecond) // the pen ticks every 8 ms
	got := map[codec.Code]int{}
	r.frames(func(frame []byte) {
		in := codec.NewReader(frame, codec.ServerLimits)
		if k, n, err := in.Frame(); err == nil && k == kind {
			if said, err := in.Reasoned(k, n); err == nil {
				got[said.Code]++
			}
		}
	})
	return got
}

func channelAttacks() (list []attack) {
	join := func(channel uint32, how codec.How, name string) []byte {
		return codec.AppendJoin(nil, channel, how, name, nil)
	}
	for _, odd := range []struct {
		name   string
		frames [][]byte
		want   codec.Code
	}{
		{"VOLLEY to a channel without a room", [][]byte{unhex("95 00 05 01 00 91 92 00 c0")}, survives},
		{"VOLLEY to channel 16", [][]byte{unhex("95 00 10 01 00 90")}, codec.BadChannel},
		{"VOLLEY to channel 65536", [][]byte{unhex("95 00 ce 00010000 01 00 90")}, codec.BadChannel},
		{"VOLLEY to channel 2^31, which is -2^31", [][]byte{unhex("95 00 ce 80000000 01 00 90")}, codec.BadChannel},
		{"LEAVE of a channel without a room", [][]byte{codec.AppendLeave(nil, 9)}, survives},
		{"LEAVE of channel 16", [][]byte{codec.AppendLeave(nil, 16)}, codec.BadChannel},
		{"LEAVE ten times", slices.Repeat([][]byte{codec.AppendLeave(nil, 0)}, 10), survives},
		{"VOLLEY behind LEAVE", [][]byte{codec.AppendLeave(nil, 0), inEvent("line", unhex("a1 61"))}, survives},
		{"a payload that does not fit, behind LEAVE", [][]byte{codec.AppendLeave(nil, 0), inEvent("line", unhex("07"))}, survives},
		{"JOIN of channel 16", [][]byte{join(16, codec.Create, "hall")}, codec.BadChannel},
		{"JOIN of a channel in use, often", slices.Repeat([][]byte{join(0, codec.Create, "hall")}, 50), codec.BadChannel},
		{"JOIN of a kind that is none", [][]byte{join(1, codec.Create, "nonsense")}, survives},
		{"JOIN of a room that is none", [][]byte{join(1, codec.JoinByID, strings.Repeat("x", 64))}, survives},
		{"JOIN of a name of 65 bytes", [][]byte{join(1, codec.JoinByID, strings.Repeat("x", 65))}, codec.Malformed},
		{"JOIN of a name of no bytes", [][]byte{join(1, codec.JoinByID, "")}, codec.Malformed},
		{"JOIN of a name that is not UTF-8", [][]byte{unhex("95 03 01 00 a1 ff c0")}, codec.Malformed},
		{"JOIN with how 4", [][]byte{unhex("95 03 01 04 a3 70656e c0")}, codec.Malformed},
		{"JOIN with a length bomb", [][]byte{unhex("95 03 01 00 a3 70656e dd ffffffff")}, codec.Malformed},
		{"JOIN with a nesting bomb", [][]byte{unhex("95 03 01 00 a3 70656e" + strings.Repeat("91", 1000) + "c0")}, codec.TooComplex},
		{"JOIN with options of 60 KiB, of all channels", wideJoins(), codec.RateLimited},
	} {
		list = append(list, attack{name: odd.name, state: "pen", want: odd.want, do: say(odd.frames...)})
	}
	return list
}

// wideJoins are JOINs with options that fill a frame.
func wideJoins() (frames [][]byte) {
	options := append(unhex("c5 ea60"), make([]byte, 60_000)...)
	for channel := range uint32(15) {
		frames = append(frames, codec.AppendJoin(nil, channel+1, codec.JoinOrCreate, "pen", options))
	}
	return frames
}

func requestAttacks() []attack {
	reply := func(kind, payload string, id uint64) []byte {
		return codec.AppendUint(unhex("93"+kind+payload), id)
	}
	return []attack{
		{name: "replies to requests that nobody made", state: "pen", want: survives, do: func(p *raw) {
			var packets [][]byte
			for id := range uint64(100) {
				packets = append(packets, reply("ff", "c0", id+1), reply("fe", "a1 78", id+1))
			}
			p.send(volleyOf(1, 0, packets...))
		}},
		{name: "a reply with id 0", state: "pen", want: codec.Malformed, do: say(volleyOf(1, 0, reply("ff", "c0", 0)))},
		{name: "a failure that is no text", state: "pen", want: codec.Malformed, do: say(volleyOf(1, 0, reply("fe", "07", 1)))},
		{name: "a reply of another type", state: "hall", want: codec.BadPayload, do: func(p *raw) {
			p.send(volleyOf(1, 0, event("quiz", unhex("01"))))
			p.send(volleyOf(2, 0, reply("ff", "a1 78", 1)))
		}},
		{name: "a reply twice", state: "hall", want: survives, do: func(p *raw) {
			p.send(volleyOf(1, 0, event("quiz", unhex("01"))))
			p.send(volleyOf(2, 0, reply("ff", "05", 1), reply("ff", "05", 1), reply("fe", "a0", 1)))
		}},
		{name: "a quiz of 10,000 riddles, unanswered", state: "pen", want: survives, times: 6,
			do: say(volleyOf(1, 0, event("quiz", unhex("cd 2710"))))},
		{name: "256 unknown events in a tick", state: "pen", want: survives, times: 6, do: func(p *raw) {
			p.send(volleyOf(1, 0, slices.Repeat([][]byte{event("nobody", unhex("c0"))}, 256)...))
			assert.Equal(p.t, map[codec.Code]int{codec.UnknownEvent: 16}, p.notices(codec.FrameNotice))
		}},
		{name: "unknown events, each of another name", state: "hall", want: survives, do: func(p *raw) {
			var packets [][]byte
			for i := range 256 {
				packets = append(packets, event("nobody"+itoa(i), unhex("c0")))
			}
			p.send(volleyOf(1, 0, packets...))
		}},
		{name: "unknown events by index", state: "hall", want: survives, do: say(volleyOf(1, 0,
			slices.Repeat([][]byte{unhex("92 ce 7fffffff c0")}, 256)...))},
		{name: "an index of 2^31", state: "hall", want: codec.Malformed, do: say(volleyOf(1, 0, unhex("92 ce 80000000 c0")))},
		{name: "300 requests in a tick", state: "pen", want: survives, times: 6, do: func(p *raw) {
			packets := slices.Repeat([][]byte{request("upper", unhex("a1 61"), 1)}, 150)
			p.write(append(p.framed(volleyOf(1, 0, packets...)), p.framed(volleyOf(151, 0, packets...))...))
			assert.LessOrEqual(p.t, p.notices(codec.FrameNotice)[codec.TooManyRequests], 16)
		}},
		{name: "256 requests that nobody handles", state: "hall", want: survives,
			do: say(volleyOf(1, 0, slices.Repeat([][]byte{request("nobody", unhex("c0"), 7)}, 256)...))},
		{name: "a request whose payload does not fit", state: "hall", want: codec.BadPayload,
			do: say(volleyOf(1, 0, request("upper", unhex("07"), 1)))},
	}
}
