package volley_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/codec"
)

// Peers attack a server on which honest clients play, over real sockets. Every attack has its outcome, the server is afterwards
// as it was before (goroutines, descriptors, memory), a newcomer can play, and of the numbered events of the honest clients, in
// the same rooms all the while, none is missing, twice, or out of order. Those who are slow are in hostile_slow_test.go.
func TestHostilePeers(t *testing.T) {
	for _, class := range []struct {
		name       string
		transports string
		cfg        volley.Config
		attacks    []attack
	}{
		{"upgrades", "ws", volley.Config{}, upgradeAttacks()},
		{"websocket", "ws", volley.Config{}, webSocketAttacks()},
		{"stream", "tcp", volley.Config{}, streamAttacks()},
		{"tls", "ws tcp", volley.Config{TLS: certificate(t)}, tlsAttacks()},
		{"frames", "ws tcp", volley.Config{}, frameAttacks(t)},
		{"payloads", "ws tcp", volley.Config{}, payloadAttacks()},
		{"sessions", "ws tcp", volley.Config{}, sessionAttacks()},
		{"rooms", "ws tcp", volley.Config{}, roomAttacks()},
		{"floods", "ws tcp", volley.Config{}, floodAttacks()},
	} {
		t.Run(class.name, func(t *testing.T) {
			a := newArena(t, class.cfg)
			a.run(class.transports, class.attacks)
		})
	}
}

// inEvent puts a payload into an otherwise good VOLLEY to channel 0 that emits an event.
func inEvent(event string, payload []byte) []byte {
	return volleyOf(1, 0, append(codec.AppendNamedEvent(nil, event), payload...))
}

// volleyOf is a VOLLEY to channel 0 of packets, the first of which has number seq.
func volleyOf(seq, tick uint64, packets ...[]byte) []byte {
	buf := make([]byte, codec.MaxPrefix)
	for _, p := range packets {
		buf = append(buf, p...)
	}
	return buf[codec.PutVolley(buf, codec.MaxPrefix, 0, seq, tick, len(packets)):]
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// frameAttacks are frames that no honest client sends.
func frameAttacks(t *testing.T) (list []attack) {
	for _, bad := range []struct {
		name  string
		frame []byte
		want  codec.Code
	}{
		{"not an array", unhex("80"), codec.Malformed},
		{"an empty array", unhex("90"), codec.Malformed},
		{"trailing bytes", append(inEvent("line", unhex("a1 61")), 0xc0), codec.Malformed},
		{"truncated", inEvent("line", unhex("a5 61")), codec.Malformed},
		{"unknown type", unhex("91 63"), codec.UnexpectedFrame},
		{"a type of 2^64-1", unhex("91 cf ffffffffffffffff"), codec.UnexpectedFrame},
		{"a type of -1", unhex("91 ff"), codec.Malformed},
		{"a frame of 2^32-1 elements", unhex("dd ffffffff 00"), codec.Malformed},
		{"a frame of the server's", codec.AppendResumed(nil, 0, 0), codec.UnexpectedFrame},
		{"channel out of range", codec.AppendJoin(nil, 1000, codec.JoinOrCreate, "pen", nil), codec.BadChannel},
		{"channel of 2^64-1", unhex("95 03 cf ffffffffffffffff 00 a3 70656e c0"), codec.BadChannel},
		{"channel in use", codec.AppendJoin(nil, 0, codec.JoinOrCreate, "pen", nil), codec.BadChannel},
		{"oversized", inEvent("loose", append(unhex("c6 00010000"), make([]byte, 65536)...)), codec.TooBig},
		{"257 packets", volleyOf(1, 0, slices.Repeat([][]byte{unhex("92 00 c0")}, 257)...), codec.TooComplex},
		{"a name of 65 bytes", inEvent(strings.Repeat("x", 65), unhex("c0")), codec.Malformed},
		{"a name of no bytes", inEvent("", unhex("c0")), codec.Malformed},
		{"a request with id 0", volleyOf(1, 0, unhex("93 00 c0 00")), codec.Malformed},
		{"a request with id 2^32", volleyOf(1, 0, unhex("93 00 c0 cf 0000000100000000")), codec.Malformed},
		{"a packet of 4 elements", volleyOf(1, 0, unhex("94 00 c0 01 01")), survives},
	} {
		list = append(list, attack{name: bad.name, state: "pen", do: say(bad.frame), want: bad.want})
	}
	return append(list, goldenFrames(t)...)
}

// goldenFrames are those of testdata/wire that a server has to refuse.
func goldenFrames(t *testing.T) (list []attack) {
	var golden struct {
		Bad []struct {
			Name, Hex, State, Layer string
			Code                    codec.Code
		}
	}
	file, err := os.ReadFile("testdata/wire/frames.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(file, &golden))
	require.NotEmpty(t, golden.Bad)
	states := map[string]string{"joined": "pen"}
	for _, bad := range golden.Bad {
		if bad.Layer != "payload" { // those need a handler of another type; package codec tests them
			state := states[bad.State]
			if state == "" {
				state = bad.State
			}
			list = append(list, attack{name: "golden: " + bad.Name, state: state, do: say(unhex(bad.Hex)), want: bad.Code, times: 4})
		}
	}
	return list
}

// payloadAttacks are payloads for handlers that expect others.
func payloadAttacks() (list []attack) {
	for _, bad := range []struct {
		name, event, hex string
		want             codec.Code
	}{
		{"array length bomb", "loose", "dd ffffffff", codec.Malformed},
		{"map length bomb", "loose", "df ffffffff", codec.Malformed},
		{"a map of 2^31, whose values overflow 32 bits", "loose", "df 80000000", codec.Malformed},
		{"binary length bomb", "loose", "c6 40000000", codec.Malformed},
		{"string length bomb", "line", "db 7fffffff", codec.Malformed},
		{"extension bomb", "loose", "c9 ffffffff 01", codec.Malformed},
		{"foreign extension", "loose", "d4 05 00", codec.Malformed},
		{"timestamp that hides a map", "line", "d7 ff df ffffffff 000000", codec.BadPayload},
		{"timestamp of 2^34 seconds and too many nanoseconds", "loose", "d7 ff ffffffffffffffff", codec.BadPayload},
		{"nesting", "loose", strings.Repeat("91", 15<<10) + "c0", codec.TooComplex},
		{"nested maps", "loose", strings.Repeat("81 00", 15<<10) + "c0", codec.TooComplex},
		{"nested array headers", "loose", strings.Repeat("dc 1000", 5<<10), codec.TooComplex},
		{"nested array headers that all fit", "loose", strings.Repeat("dc 0fff", 5<<10), codec.TooComplex},
		{"many values", "loose", "dc 2000" + strings.Repeat("00", 0x2000), codec.TooComplex},
		{"a large map", "loose", "de 07f0" + strings.Repeat("cd 0001 c0", 0x7f0), codec.BadPayload},
		{"0xc1", "loose", "c1", codec.Malformed},
		{"invalid UTF-8", "line", "a2 c328", codec.Malformed},
		{"a surrogate", "line", "a3 eda080", codec.Malformed},
		{"a key of invalid UTF-8", "loose", "81 a1 ff c0", codec.Malformed},
		{"a key nil", "loose", "81 c0 c0", codec.Malformed},
		{"a key that is a map", "loose", "81 80 c0", codec.Malformed},
		{"a key twice in a map", "loose", "82 a1 61 01 a1 61 02", codec.BadPayload},
		{"a key twice, in two sizes", "loose", "82 05 01 cd 0005 02", codec.BadPayload},
		{"a field twice", "fill", "82 a1 4e 01 a1 4e 02", codec.BadPayload},
		{"a key twice in a field", "fill", "81 a1 4d 82 a1 61 01 a1 61 02", codec.BadPayload},
		{"wrong type", "line", "2a", codec.BadPayload},
		{"text for a struct", "fill", "a1 61", codec.BadPayload},
		{"300 into 8 bits", "fill", "81 a1 4e cd 012c", codec.BadPayload},
		{"-1 into an unsigned number", "fill", "81 a1 4e ff", codec.BadPayload},
		{"half into a whole number", "fill", "81 a1 4e cb 3fe0000000000000", codec.BadPayload},
		{"NaN into a whole number", "fill", "81 a1 4e cb 7ff8000000000001", codec.BadPayload},
		{"infinity into a list of numbers", "fill", "81 a1 4c 91 cb 7ff0000000000000", codec.BadPayload},
		{"2^64-1 into 16 bits", "fill", "81 a1 4c 91 cf ffffffffffffffff", codec.BadPayload},
		{"1e308 into a float32", "fill", "81 a1 58 cb 7fe1ccf385ebc8a0", codec.BadPayload},
		{"an array of too few fields", "fill", "92 00 00", codec.BadPayload},
		{"an array of too many fields", "fill", "95 00 00 c0 c0 00", codec.BadPayload},
		{"NaN into a float", "fill", "81 a1 58 cb 7ff8000000000001", codec.BadPayload},
		{"2^64-1 as anything", "loose", "cf ffffffffffffffff", survives},
	} {
		list = append(list, attack{name: bad.name, state: "any", do: say(inEvent(bad.event, unhex(bad.hex))), want: bad.want})
	}
	return list
}
