package codec_test

import (
	"fmt"

	"github.com/volley-go/volley/codec"
)

type Move struct {
	DX, DY float32
	Name   string
	Lives  uint8
}

// A server reads what a client sent.
func ExampleReader() {
	frame := codec.AppendJoin(nil, 0, codec.JoinOrCreate, "pong", nil)

	r := codec.NewReader(frame, codec.ClientLimits)
	kind, n, err := r.Frame()
	if err != nil || kind != codec.FrameJoin {
		fmt.Println("close the connection:", err)
		return
	}
	join, err := r.Join(n)
	fmt.Println(join.Channel, join.Name, err)

	r = codec.NewReader(frame[:5], codec.ClientLimits)
	if _, n, err = r.Frame(); err == nil {
		_, err = r.Join(n)
	}
	fmt.Println(err)
	// Output:
	// 0 pong <nil>
	// malformed: the bytes end before the value does
}

// A room's tick becomes one frame: its packets are written once, and what is different for each client goes in front.
func ExamplePutVolley() {
	enc := codec.NewEncoder()
	buf := make([]byte, codec.MaxPrefix, 256) // room for the prefix
	buf = codec.AppendEvent(buf, 1)
	buf, err := enc.Append(buf, &Move{DX: 0.5, Name: "Ann"})
	if err != nil {
		fmt.Println(err)
		return
	}
	start := codec.PutVolley(buf, codec.MaxPrefix, 0, 121, 7, 1)

	r := codec.NewReader(buf[start:], codec.ServerLimits)
	_, n, _ := r.Frame()
	volley, _ := r.ServerVolley(n)
	packets, err := r.Packets(n, nil)
	fmt.Println(volley.Tick, volley.Ack, len(packets), packets[0].Index, err)
	// Output: 121 7 1 1 <nil>
}

func ExampleDecoder() {
	moves, err := codec.NewDecoder[Move]()
	if err != nil {
		panic(err) // the type cannot be decoded: a mistake in the program
	}
	var m Move
	fmt.Println(moves.Decode([]byte("\x82\xa2DX\x02\xa2DY\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00"), &m), m.DX, m.DY)
	fmt.Println(moves.Decode([]byte("\x81\xa5Lives\xcd\x01\x2c"), &m))
	// Output:
	// <nil> 2 0.5
	// bad-payload: Lives: 300 does not fit uint8
}

func ExampleEncoder() {
	enc := codec.NewEncoder() // keep it: one for each goroutine
	var buf []byte
	buf, err := enc.Append(buf[:0], &Move{DX: 2, Name: "Ann"})
	fmt.Printf("%q %v\n", buf, err)
	// Output: "\x84\xa2DX\x02\xa2DY\x00\xa4Name\xa3Ann\xa5Lives\x00" <nil>
}
