package netio

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// frameReader is what both readers are.
type frameReader interface {
	next(in []byte, pool *bufPool, limit int) (event, []byte, []byte, error)
	release(pool *bufPool)
}

type happening struct {
	ev   event
	body string
}

// evText is a message that is text; only tests tell the two apart by events.
const evText event = 100

// readAll feeds input to r in chunks of the sizes given (then the rest at once) and returns what happened.
func readAll(r frameReader, pool *bufPool, limit int, input []byte, sizes []byte) (got []happening, err error) {
	defer r.release(pool)
	input = append([]byte(nil), input...) // it is unmasked in place
	for len(input) > 0 {
		n := len(input)
		if len(sizes) > 0 {
			n, sizes = min(n, int(sizes[0])+1), sizes[1:]
		}
		in := append([]byte(nil), input[:n]...) // every chunk is a buffer of its own, as a poller's is used again
		input = input[n:]
		for {
			ev, p, rest, err := r.next(in, pool, limit)
			if err != nil {
				return got, err
			}
			if ev == evMore {
				for i := range in {
					in[i] = 0xee
				}
				break
			}
			if ws, ok := r.(*wsReader); ok && ev == evMessage && ws.text {
				ev = evText
			}
			got = append(got, happening{ev, string(p)})
			in = rest
		}
	}
	return got, nil
}

func concat(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// longHeader is a frame's header with a length in the 64-bit form.
func longHeader(b0 byte, n uint64) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{b0, 0xff}, n), 1, 2, 3, 4)
}

const fin = 0x80

// hostileWS are inputs of a client after its first frame, and the code each has to be closed with.
var hostileWS = []struct {
	name  string
	input []byte
	code  codec.Code
}{
	{"unmasked", []byte{fin | opBinary, 1, 'x'}, codec.WebSocketProtocol},
	{"unmasked, only its first two bytes", []byte{fin | opBinary, 100}, codec.WebSocketProtocol},
	{"RSV1", masked(fin|0x40|opBinary, "x"), codec.WebSocketProtocol},
	{"RSV2", masked(fin|0x20|opBinary, "x"), codec.WebSocketProtocol},
	{"RSV3", masked(fin|0x10|opBinary, "x"), codec.WebSocketProtocol},
	{"opcode 3", masked(fin|3, "x"), codec.WebSocketProtocol},
	{"opcode 7", masked(fin|7, "x"), codec.WebSocketProtocol},
	{"opcode 11", masked(fin|11, "x"), codec.WebSocketProtocol},
	{"opcode 15", masked(fin|15, "x"), codec.WebSocketProtocol},
	{"text", masked(fin|opText, "x"), codec.TextMessage},
	{"the first fragment of a text", masked(opText, "x"), codec.TextMessage},
	{"control of 126 bytes", masked(fin|opPing, strings.Repeat("x", 126)), codec.WebSocketProtocol},
	{"fragmented ping", masked(opPing, "x"), codec.WebSocketProtocol},
	{"fragmented close", masked(opClose, ""), codec.WebSocketProtocol},
	{"16-bit length of 125", maskInto([]byte{fin | opBinary, 0xfe, 0, 125}, strings.Repeat("x", 125)), codec.WebSocketProtocol},
	{"64-bit length of 65535", longHeader(fin|opBinary, 1<<16-1), codec.WebSocketProtocol},
	{"64-bit length with its top bit", longHeader(fin|opBinary, 1<<63), codec.WebSocketProtocol},
	{"64-bit length of all ones", longHeader(fin|opBinary, 1<<64-1), codec.WebSocketProtocol},
	{"longer than the limit by one", longHeader(fin|opBinary, 1<<16+1), codec.TooBig},
	{"2^63-1 bytes", longHeader(fin|opBinary, 1<<63-1), codec.TooBig},
	{"2^63-1 bytes after 16 fragmented ones", concat(masked(opBinary, strings.Repeat("x", 16)), longHeader(fin|opContinuation, 1<<63-1)), codec.TooBig},
	{"fragments that add up to the limit and one", concat(masked(opBinary, strings.Repeat("x", 1<<15)), masked(opContinuation, strings.Repeat("x", 1<<15)), masked(fin|opContinuation, "x")), codec.TooBig},
	{"too many fragments", concat(masked(opBinary, "x"), []byte(strings.Repeat(string(masked(opContinuation, "")), maxFragments))), codec.TooComplex},
	{"continuation of nothing", masked(fin|opContinuation, "x"), codec.WebSocketProtocol},
	{"a message inside another", concat(masked(opBinary, "x"), masked(fin|opBinary, "y")), codec.WebSocketProtocol},
	{"empty message", masked(fin|opBinary, ""), codec.Malformed},
	{"empty message of fragments", concat(masked(opBinary, ""), masked(fin|opContinuation, "")), codec.Malformed},
	{"close of one byte", masked(fin|opClose, "x"), codec.WebSocketProtocol},
	{"close with code 999", masked(fin|opClose, "\x03\xe7"), codec.WebSocketProtocol},
	{"close with code 1005", masked(fin|opClose, "\x03\xed"), codec.WebSocketProtocol},
	{"close with a reason that is not UTF-8", masked(fin|opClose, "\x03\xe8\xc3\x28"), codec.WebSocketProtocol},
	{"close with code 5000", masked(fin|opClose, "\x13\x88"), codec.WebSocketProtocol},
}

// hostileForeign are inputs that are refused with Config.Foreign, and the codes.
var hostileForeign = []struct {
	name  string
	input []byte
	code  codec.Code
}{
	{"text that is not UTF-8", masked(fin|opText, "a\xffb"), invalidText},
	{"half a pair of UTF-16 in text", masked(fin|opText, "\xed\xa0\x80"), invalidText},
	{"text that ends inside a letter", concat(masked(opText, "\xc3"), masked(fin|opContinuation, "")), invalidText},
	{"fragments of text that do not fit", concat(masked(opText, "\xc3"), masked(fin|opContinuation, "(")), invalidText},
	{"text inside a binary message", concat(masked(opBinary, "x"), masked(fin|opText, "y")), codec.WebSocketProtocol},
	{"binary inside a text", concat(masked(opText, "x"), masked(fin|opBinary, "y")), codec.WebSocketProtocol},
	{"a text inside another", concat(masked(opText, "x"), masked(opText, "y")), codec.WebSocketProtocol},
	{"unmasked text", []byte{fin | opText, 1, 'x'}, codec.WebSocketProtocol},
	{"text longer than the limit by one", longHeader(fin|opText, 1<<16+1), codec.TooBig},
	{"fragments of text that add up to more", concat(masked(opText, strings.Repeat("x", 1<<16)), masked(fin|opContinuation, "x")), codec.TooBig},
	{"too many fragments of text", concat(masked(opText, "x"), []byte(strings.Repeat(string(masked(opContinuation, "")), maxFragments))), codec.TooComplex},
}

func TestWSReaderRefuses(t *testing.T) {
	refuses := func(t *testing.T, name string, input []byte, code codec.Code, foreign bool) {
		for way, sizes := range map[string][]byte{"whole": nil, "byte by byte": make([]byte, len(input))} {
			t.Run(name+", "+way, func(t *testing.T) {
				got, err := readAll(&wsReader{foreign: foreign}, new(bufPool), 1<<16, input, sizes)
				if len(got) > 0 && got[len(got)-1].ev == evClose {
					_, err = closeCode([]byte(got[len(got)-1].body))
				}
				var e *codec.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, code, e.Code, "%v", err)
			})
		}
	}
	for _, tt := range hostileWS {
		refuses(t, tt.name, tt.input, tt.code, false)
	}
	for _, tt := range hostileForeign {
		refuses(t, tt.name, tt.input, tt.code, true)
	}
}

func TestWSReaderReads(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 1<<12) // 64 KiB, the limit
	input := concat(
		masked(fin|opBinary, "a"),
		masked(fin|opPing, ""),
		masked(opBinary, "b"), masked(fin|opPing, "between"), masked(opContinuation, ""), masked(fin|opPong, strings.Repeat("p", 125)), masked(fin|opContinuation, "c"),
		masked(fin|opBinary, big),
		masked(opBinary, big[:1<<15]), masked(fin|opContinuation, big[1<<15:]),
		masked(opBinary, ""), masked(fin|opContinuation, "late"),
		masked(fin|opClose, "\x03\xe8"),
	)
	want := []happening{
		{evMessage, "a"}, {evPing, ""}, {evFragment, ""}, {evPing, "between"}, {evFragment, ""}, {evPong, strings.Repeat("p", 125)},
		{evMessage, "bc"}, {evMessage, big}, {evFragment, ""}, {evMessage, big}, {evFragment, ""}, {evMessage, "late"}, {evClose, "\x03\xe8"},
	}
	foreignInput := concat(
		masked(fin|opText, "é"), masked(fin|opText, ""), masked(fin|opBinary, ""), masked(opText, ""), masked(fin|opContinuation, ""),
		masked(opText, "\xe2\x82"), masked(fin|opPing, "between"), masked(fin|opContinuation, "\xac"), masked(fin|opText, big),
		input,
	)
	foreignWant := append([]happening{
		{evText, "é"}, {evText, ""}, {evMessage, ""}, {evFragment, ""}, {evText, ""},
		{evFragment, ""}, {evPing, "between"}, {evText, "€"}, {evText, big},
	}, want...)
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		var sizes []byte
		for range round * 3 {
			sizes = append(sizes, byte(rnd.IntN(1+round)))
		}
		got, err := readAll(new(wsReader), new(bufPool), 1<<16, input, sizes)
		require.NoError(t, err)
		require.Equal(t, want, got, "round %d", round)
		got, err = readAll(&wsReader{foreign: true}, new(bufPool), 1<<16, foreignInput, sizes)
		require.NoError(t, err)
		require.Equal(t, foreignWant, got, "round %d", round)
	}
}

// A peer holds no more of our memory than it has sent, whatever it declares, and nothing once its frames are complete.
func TestWSReaderMemory(t *testing.T) {
	pool, r := new(bufPool), new(wsReader)
	feed := func(in []byte) {
		for {
			ev, _, rest, err := r.next(in, pool, 1<<16)
			require.NoError(t, err)
			if ev == evMore {
				return
			}
			in = rest
		}
	}
	feed(longHeader(fin|opBinary, 1<<16)[:9])
	require.Nil(t, r.buf, "half a header is kept in the reader itself")
	feed(longHeader(fin|opBinary, 1<<16)[9:])
	require.Nil(t, r.buf, "a declared length allocates nothing")
	feed([]byte{1})
	require.LessOrEqual(t, cap(*r.buf), 64)
	feed(make([]byte, 1<<16-1))
	require.Nil(t, r.buf, "a handled message is given back")
	require.Zero(t, r.start)

	feed(masked(opBinary, strings.Repeat("x", 40)))
	feed(masked(fin|opPing, strings.Repeat("x", 125))[:100])
	require.LessOrEqual(t, cap(*r.buf), 256)
	feed(masked(fin|opPing, strings.Repeat("x", 125))[100:])
	require.Len(t, *r.buf, 40, "a control frame leaves the fragments alone")
	feed(masked(fin|opContinuation, "x"))
	require.Nil(t, r.buf)
}

// rfcFrames is another way to say what a valid or invalid input means: one pass over the whole of it.
func rfcFrames(b []byte, limit int, foreign bool) (got []happening, failed bool) {
	var message []byte
	open, text, frags := false, false, 0
	for len(b) >= 2 {
		op, end := b[0]&15, b[0]&fin != 0
		n, size := uint64(b[1]&0x7f), 2
		data := op == opContinuation || op == opBinary || op == opText && foreign
		begins := data && op != opContinuation
		if b[0]&0x70 != 0 || b[1]&0x80 == 0 || !data && op != opClose && op != opPing && op != opPong || !data && (!end || n > 125) {
			return got, true
		}
		switch {
		case n == 126 && len(b) >= 4:
			n, size = uint64(b[2])<<8|uint64(b[3]), 4
		case n == 127 && len(b) >= 10:
			n, size = binary.BigEndian.Uint64(b[2:]), 10
		case n >= 126:
			return got, false
		}
		if len(b) < size+4 {
			return got, false
		}
		if size == 4 && n < 126 || size == 10 && (n < 1<<16 || n >= 1<<63) || op == opContinuation && !open || begins && open ||
			data && n > uint64(limit-len(message)) {
			return got, true
		}
		if begins {
			frags, text = 0, op == opText
		}
		if data {
			if frags++; frags > maxFragments {
				return got, true
			}
		}
		key := b[size : size+4]
		b = b[size+4:]
		if uint64(len(b)) < n {
			return got, false
		}
		body := make([]byte, n)
		for i := range body {
			body[i] = b[i] ^ key[i&3]
		}
		b = b[n:]
		switch {
		case !data:
			got = append(got, happening{controlEvent(op), string(body)})
		case !end:
			message, open = append(message, body...), true
			got = append(got, happening{evFragment, ""})
		default:
			message = append(message, body...)
			if len(message) == 0 && !foreign || text && !utf8.Valid(message) {
				return got, true
			}
			got = append(got, happening{map[bool]event{false: evMessage, true: evText}[text], string(message)})
			message, open = nil, false
		}
	}
	return got, false
}

func FuzzWSReader(f *testing.F) {
	for _, tt := range hostileWS {
		f.Add(tt.input, []byte{0, 1, 2, 3}, uint16(300))
	}
	f.Add(concat(masked(opBinary, "b"), masked(fin|opPing, "between"), masked(fin|opContinuation, "c")), []byte{5, 0, 9}, uint16(10))
	for _, tt := range hostileForeign {
		f.Add(tt.input, []byte{3, 2, 1, 0}, uint16(300))
	}
	f.Add(concat(masked(opText, "\xc3"), masked(fin|opPing, ""), masked(fin|opContinuation, "\xa9"), masked(fin|opText, "")), []byte{6}, uint16(10))
	f.Fuzz(func(t *testing.T, input, sizes []byte, limit uint16) {
		pool := new(bufPool)
		for _, foreign := range []bool{false, true} {
			want, failed := rfcFrames(input, int(limit)+1, foreign)
			whole, err := readAll(&wsReader{foreign: foreign}, pool, int(limit)+1, input, nil)
			require.Equal(t, want, whole)
			require.Equal(t, failed, err != nil, "%v", err)
			split, splitErr := readAll(&wsReader{foreign: foreign}, pool, int(limit)+1, input, sizes)
			require.Equal(t, whole, split)
			require.Equal(t, err, splitErr)
		}
	})
}

func TestUnmask(t *testing.T) {
	for n := range 100 {
		plain := strings.Repeat("volley", 20)[:n]
		b := maskInto(nil, plain)
		unmask(b[4:], [4]byte(b[:4]))
		require.Equal(t, plain, string(b[4:]))
	}
}

func TestParsesWithoutAllocating(t *testing.T) {
	pool, r := new(bufPool), new(wsReader)
	frame := masked(fin|opBinary, strings.Repeat("x", 200))
	in := make([]byte, len(frame))
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		copy(in, frame)
		if ev, p, rest, err := r.next(in, pool, 1<<16); ev != evMessage || len(p) != 200 || len(rest) != 0 || err != nil {
			panic("not the message")
		}
		if ev, _, _, _ := r.next(nil, pool, 1<<16); ev != evMore {
			panic("more than the message")
		}
	}))
}

func BenchmarkWSReader(b *testing.B) {
	pool, r := new(bufPool), new(wsReader)
	frame := masked(fin|opBinary, strings.Repeat("x", 20))
	in := make([]byte, len(frame))
	b.ReportAllocs()
	for b.Loop() {
		copy(in, frame)
		_, _, rest, _ := r.next(in, pool, 1<<16)
		_, _, _, _ = r.next(rest, pool, 1<<16)
	}
}
