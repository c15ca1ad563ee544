package socketio

import (
	"encoding/json"
	"testing"

	"github.com/volley-go/volley/codec"
)

// benchPackets are payloads as games and chats have them.
var benchPackets = []struct{ name, text string }{
	{"chat", `2["message","Hello, how are you today?",{"room":"lobby","at":1700000000123}]`},
	{"move", `2["move",{"x":123.456,"y":-78.25,"angle":1.5707963,"seq":1042,"fire":false}]`},
	{"ack", `2/game,1042["input",[3,1,-1,0,17]]`},
	{"state", `2["state",` + func() string {
		type player struct {
			ID    string     `json:"id"`
			Pos   [3]float64 `json:"pos"`
			HP    int        `json:"hp"`
			Items []string   `json:"items"`
		}
		var all []player
		for i := range 50 {
			all = append(all, player{"player-" + string(rune('a'+i%26)), [3]float64{float64(i) * 1.25, 10.75, -float64(i) / 8}, 100 - i, []string{"sword", "map"}})
		}
		b, _ := json.Marshal(all) // it cannot fail
		return string(b)
	}() + `]`},
}

func BenchmarkReadText(b *testing.B) {
	for _, c := range benchPackets {
		b.Run(c.name, func(b *testing.B) {
			var d decoder
			s := []byte(c.text)
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				if _, ok, err := d.text(s, &testLimits); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

// jsonPart is what follows a text's head.
func jsonPart(b *testing.B, text string) []byte {
	var d decoder
	_, rest, _, err := d.head([]byte(text), 0)
	if err != nil {
		b.Fatal(err)
	}
	return rest
}

func BenchmarkFromJSON(b *testing.B) {
	for _, c := range benchPackets {
		s := jsonPart(b, c.text)
		b.Run(c.name+"/volley", func(b *testing.B) {
			var r jsonReader
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				if err := r.read(s, testLimits.Limits, -1); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/encoding-json", func(b *testing.B) { // into a tree, which would have to be encoded afterwards
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				var v any
				if err := json.Unmarshal(s, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkToJSON(b *testing.B) {
	for _, c := range benchPackets {
		s := jsonPart(b, c.text)
		p := packet{kind: eventPacket, nsp: "/", id: noID, data: packJSON(b, string(s))}
		b.Run(c.name+"/volley", func(b *testing.B) {
			var out []byte
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if out, _, err = appendText(out[:0], &p); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/encoding-json", func(b *testing.B) { // of a tree, which would have to be decoded before
			var v any
			if err := json.Unmarshal(s, &v); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := json.Marshal(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPacked(b *testing.B) {
	for _, c := range benchPackets {
		p := packet{kind: eventPacket, nsp: "/", id: noID, data: packJSON(b, string(jsonPart(b, c.text)))}
		m := appendPacked(nil, &p)
		b.Run(c.name+"/read", func(b *testing.B) {
			b.SetBytes(int64(len(m)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := readPacked(m, &testLimits); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/append", func(b *testing.B) {
			var out []byte
			b.SetBytes(int64(len(m)))
			b.ReportAllocs()
			for b.Loop() {
				out = appendPacked(out[:0], &p)
			}
		})
	}
}

func BenchmarkAppendEvent(b *testing.B) {
	args := []any{"lobby", 5, &position{1.5, 2.5, "x"}}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if out, err = appendEvent(out[:0], "move", args); err != nil {
			b.Fatal(err)
		}
	}
	if err := codec.Scan(out, codec.ServerLimits); err != nil {
		b.Fatal(err)
	}
}
