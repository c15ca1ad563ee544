package volley_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/stretchr/testify/assert"

	"github.com/volley-go/volley/codec"
)

// resume is a HELLO that carries on a session.
func resume(token string, channels ...codec.Processed) []byte {
	return codec.AppendResume(nil, nil, codec.Resume{Token: token, Channels: channels})
}

// sessionAttacks are odd HELLOs, tokens and BYEs.
func sessionAttacks() []attack {
	return slices.Concat(helloAttacks(), tokenAttacks(), resumeAttacks(), byeAttacks())
}

func helloAttacks() (list []attack) {
	hello := codec.AppendHello(nil, nil)
	option := func(hex string) []byte { return unhex("93 01 01 81 a4 61757468" + hex) } // auth
	for _, bad := range []struct {
		name   string
		state  string
		frames [][]byte
		want   codec.Code
	}{
		{"HELLO twice", "open", [][]byte{hello}, codec.UnexpectedFrame},
		{"HELLO twice, within a room", "pen", [][]byte{hello}, codec.UnexpectedFrame},
		{"HELLO twice, at once", "new", [][]byte{hello, hello}, codec.UnexpectedFrame},
		{"JOIN before HELLO", "new", [][]byte{codec.AppendJoin(nil, 0, codec.JoinOrCreate, "pen", nil)}, codec.UnexpectedFrame},
		{"VOLLEY before HELLO", "new", [][]byte{inEvent("line", unhex("a1 61"))}, codec.UnexpectedFrame},
		{"PING before HELLO", "new", [][]byte{codec.AppendPing(nil, 1)}, codec.UnexpectedFrame},
		{"BYE before HELLO", "new", [][]byte{codec.AppendClientBye(nil, codec.Normal, "")}, codec.UnexpectedFrame},
		{"version 0", "new", [][]byte{unhex("93 01 00 80")}, codec.UnsupportedVersion},
		{"version 2^64-1", "new", [][]byte{unhex("93 01 cf ffffffffffffffff 80")}, codec.Malformed},
		{"version -1", "new", [][]byte{unhex("93 01 ff 80")}, codec.Malformed},
		{"HELLO without options", "new", [][]byte{unhex("92 01 01")}, codec.Malformed},
		{"HELLO with a list of options", "new", [][]byte{unhex("93 01 01 90")}, codec.Malformed},
		{"HELLO with a length bomb for options", "new", [][]byte{unhex("93 01 01 df ffffffff")}, codec.Malformed},
		{"HELLO with two values of auth", "new", [][]byte{unhex("93 01 01 82 a4 61757468 01 a4 61757468 02")}, codec.Malformed},
		{"HELLO with two values of resume", "new", [][]byte{unhex("93 01 01 82 a6 726573756d65 92 a0 90 a6 726573756d65 92 a0 90")}, codec.Malformed},
		{"auth: a length bomb", "new", [][]byte{option("dd ffffffff")}, codec.Malformed},
		{"auth: a nesting bomb", "new", [][]byte{option(strings.Repeat("91", 15<<10) + "c0")}, codec.TooComplex},
		{"auth: 8,000 values", "new", [][]byte{option("dc 1f40" + strings.Repeat("00", 8000))}, codec.TooComplex},
		{"auth: more than a frame", "new", [][]byte{option("c6 00010000" + strings.Repeat("00", 1<<16))}, codec.TooBig},
		{"auth: all of a frame, for a server that does not ask", "new", [][]byte{option("c5 fff0" + strings.Repeat("00", 0xfff0))}, survives},
		{"1,000 unknown options", "new", [][]byte{unhex("93 01 01 de 03e8" + strings.Repeat("a1 78 c0", 1000))}, survives},
		{"a frame of the server's: WELCOME", "open", [][]byte{unhex("93 02 01 80")}, codec.UnexpectedFrame},
		{"a frame of the server's: NAMES", "open", [][]byte{unhex("93 09 00 90")}, codec.UnexpectedFrame},
		{"a frame of the server's: NOTICE", "open", [][]byte{unhex("95 0a 00 00 a0 01")}, codec.UnexpectedFrame},
		{"a frame of the server's: RESYNC", "open", [][]byte{unhex("93 0d 00 00")}, codec.UnexpectedFrame},
	} {
		list = append(list, attack{name: bad.name, state: bad.state, do: say(bad.frames...), want: bad.want})
	}
	return list
}

// tokenAttacks come with what is no token of theirs. The session whose token they twist goes on.
func tokenAttacks() (list []attack) {
	turned := func(at int) func(string) string { // a bit of the token's byte at
		return func(token string) string {
			b, _ := base64.RawURLEncoding.DecodeString(token)
			b[at] ^= 1
			return base64.RawURLEncoding.EncodeToString(b)
		}
	}
	for _, bad := range []struct {
		name  string
		twist func(token string) string
		want  codec.Code
	}{
		{"of another session", turned(0), codec.ResumeFailed},
		{"of the next turn", turned(11), codec.ResumeFailed},
		{"with another signature", turned(27), codec.ResumeFailed},
		{"without its last letter", func(s string) string { return s[:len(s)-1] }, codec.ResumeFailed},
		{"without its signature", func(s string) string { return s[:16] }, codec.ResumeFailed},
		{"with a letter more", func(s string) string { return s + "A" }, codec.ResumeFailed},
		{"with padding", func(s string) string { return s + "==" }, codec.ResumeFailed},
		{"twice", func(s string) string { return s + s }, codec.ResumeFailed},
		{"in capitals", strings.ToUpper, codec.ResumeFailed},
		{"of no letters", func(string) string { return "" }, codec.ResumeFailed},
		{"of line ends", func(s string) string { return strings.Repeat("\n", len(s)) }, codec.ResumeFailed},
		{"of line ends but for a byte", func(s string) string { return s[:2] + strings.Repeat("\r", len(s)-2) }, codec.ResumeFailed},
		{"of NULs", func(s string) string { return strings.Repeat("\x00", len(s)) }, codec.ResumeFailed},
		{"of 256 bytes", func(string) string { return strings.Repeat("A", 256) }, codec.ResumeFailed},
		{"of 257 bytes", func(string) string { return strings.Repeat("A", 257) }, codec.Malformed},
		{"of 60,000 bytes", func(string) string { return strings.Repeat("A", 60_000) }, codec.Malformed},
		{"of invalid UTF-8", func(s string) string { return "\xff" + s[1:] }, codec.Malformed},
	} {
		list = append(list, attack{name: "a token " + bad.name, state: "new", want: bad.want, do: func(p *raw) {
			victim := p.another("pen")
			p.send(resume(bad.twist(victim.token), codec.Processed{}))
			assert.True(p.t, victim.alive(), "whose token it was")
			victim.reset()
		}})
	}
	return list
}

// resumeAttacks come with a token that was right once, or is.
func resumeAttacks() (list []attack) {
	for _, bad := range []struct {
		name string
		tail string // after the token, in hex
		want codec.Code
	}{
		{"a channel twice", "92 92 00 00 92 00 00", codec.Malformed},
		{"1,000 times the same channel", "dc 03e8" + strings.Repeat("92 00 00", 1000), codec.Malformed},
		{"channel 16", "91 92 10 00", codec.BadChannel},
		{"channel 65536", "91 92 ce 00010000 00", codec.BadChannel},
		{"channel -1", "91 92 ff 00", codec.Malformed},
		{"thousands of channels", thousands(), codec.TooComplex},
		{"a length bomb of channels", "dd ffffffff", codec.Malformed},
		{"a map of channels", "81 00 00", codec.Malformed},
		{"no channels", "", codec.Malformed},
		{"a channel without a tick", "91 91 00", codec.Malformed},
		{"tick -1", "91 92 00 ff", codec.Malformed},
		{"tick 2^53+1", "91 92 00 cf 0020000000000001", codec.Malformed},
		{"tick NaN", "91 92 00 cb 7ff8000000000001", codec.Malformed},
		{"a tick from the future", "91 92 00 cf 0020000000000000", survives},
		{"a JOIN that was answered", "91 92 00 c0", survives},
		{"channels that it never had", "93 92 01 00 92 02 05 92 0f c0", survives},
		{"more elements, nested deep", "90" + strings.Repeat("91", 100) + "c0", codec.TooComplex},
	} {
		list = append(list, attack{name: "resume with " + bad.name, state: "new", want: bad.want, do: func(p *raw) {
			victim := p.another("pen")
			elements := byte(0x92)
			switch {
			case bad.tail == "":
				elements = 0x91
			case strings.HasPrefix(bad.tail, "9091"):
				elements = 0x93
			}
			frame := append(unhex("93 01 01 81 a6 726573756d65"), elements)
			p.send(append(codec.AppendStr(frame, victim.token), unhex(bad.tail)...))
			if bad.want != survives {
				assert.True(p.t, victim.alive(), "whose token it was")
			} else {
				p.want(codec.FrameWelcome)
				assert.Equal(p.t, codec.Replaced, victim.end())
			}
			victim.reset()
		}})
	}
	return append(list,
		attack{name: "a token that was used", state: "new", want: codec.ResumeFailed, do: func(p *raw) {
			first := p.another("pen")
			second := dialRaw(p.t, p.srv, p.transport)
			second.hello(resume(first.token, codec.Processed{}))
			assert.Equal(p.t, codec.Replaced, first.end())
			assert.True(p.t, second.alive(), "it has confirmed its own token")
			p.send(resume(first.token, codec.Processed{}))
			assert.True(p.t, second.alive())
			second.reset()
		}},
		attack{name: "a token whose session has ended", state: "new", want: codec.ResumeFailed, do: func(p *raw) {
			first := p.another("pen")
			first.send(codec.AppendClientBye(nil, codec.Normal, "done"))
			first.end()
			p.send(resume(first.token, codec.Processed{}))
		}},
		attack{name: "a token that many use at once", state: "open", want: survives, times: 6, do: storm},
		attack{name: "a session that moves a hundred times", state: "open", want: survives, times: 2, do: func(p *raw) {
			last := p.another("pen")
			for range 100 {
				next := dialRaw(p.t, p.srv, p.transport)
				next.hello(resume(last.token, codec.Processed{}))
				last.reset()
				last = next
			}
			assert.True(p.t, last.alive())
			last.reset()
		}})
}

// thousands are the channels of a resume that lists 3,840.
func thousands() string {
	b := codec.AppendArray(nil, 0xf00)
	for channel := range uint64(0xf00) {
		b = append(codec.AppendUint(codec.AppendArray(b, 2), channel), 0)
	}
	return hex.EncodeToString(b)
}

// storm has many resume one session with the same token at the same time: it is one's in the end.
func storm(p *raw) {
	first := p.another("pen")
	var alive atomic.Int32
	var all sync.WaitGroup
	var begun sync.WaitGroup
	const many = 16
	begun.Add(many)
	for range many {
		r := dialRaw(p.t, p.srv, p.transport)
		all.Go(func() {
			r.send(resume(first.token, codec.Processed{}))
			welcome := r.receive() // or BYE
			begun.Done()
			begun.Wait()
			if welcome != nil && r.alive() {
				alive.Add(1)
			}
			r.reset()
		})
	}
	all.Wait()
	assert.EqualValues(p.t, 1, alive.Load(), "connections that have the session")
	assert.Equal(p.t, codec.Replaced, first.end())
}

func byeAttacks() (list []attack) {
	bye := codec.AppendClientBye(nil, codec.Normal, "bye")
	for _, odd := range []struct {
		name   string
		frames [][]byte
		want   codec.Code
	}{
		{"BYE with code 0", [][]byte{unhex("93 0b 00 a0")}, parted},
		{"BYE with code 65535", [][]byte{unhex("93 0b cd ffff a0")}, parted},
		{"BYE with code 65536", [][]byte{unhex("93 0b ce 00010000 a0")}, codec.Malformed},
		{"BYE with code -1", [][]byte{unhex("93 0b ff a0")}, codec.Malformed},
		{"BYE with nil as reason", [][]byte{unhex("93 0b cd 03e8 c0")}, codec.Malformed},
		{"BYE with a reason of 32 KiB", [][]byte{append(unhex("93 0b cd 03e8 da 8000"), bytes.Repeat([]byte("x"), 1<<15)...)}, codec.Malformed},
		{"BYE with an address, as the server's", [][]byte{unhex("95 0b cd 03e8 a0 00 a4 68657265")}, parted},
		{"BYE with a nesting bomb behind it", [][]byte{append(append(unhex("94 0b cd 03e8 a0"), bytes.Repeat([]byte{0x91}, 1000)...), 0xc0)}, codec.TooComplex},
		{"BYE with the server's code for a used token", [][]byte{codec.AppendClientBye(nil, codec.ResumeFailed, "")}, parted},
		{"BYE twice", [][]byte{bye, bye}, parted},
		{"frames behind BYE", slices.Concat([][]byte{bye}, slices.Repeat([][]byte{inEvent("line", unhex("a1 61"))}, 100)), parted},
		{"JOIN behind BYE", [][]byte{bye, codec.AppendJoin(nil, 1, codec.Create, "hall", nil)}, parted},
		{"garbage behind BYE", [][]byte{bye, unhex("c1")}, parted},
	} {
		list = append(list, attack{name: odd.name, state: "any", want: odd.want, do: say(odd.frames...)})
	}
	return list
}
