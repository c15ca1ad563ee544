//go:build !race

package socketio

import "testing"

// TestPacketAllocations: what runs for each packet allocates nothing but the packet's data. Not under the race detector, where
// sync.Pool forgets on purpose.
func TestPacketAllocations(t *testing.T) {
	var d decoder
	text := []byte(`2/game,1042["move",{"x":123.456,"y":-78.25,"name":"a\nb","seq":[1042,"x"],"fire":false}]`)
	p, _, err := d.text(text, &testLimits)
	if err != nil {
		t.Fatal(err)
	}
	packed := appendPacked(nil, &p)
	main := p
	main.nsp = "/"
	packedMain := appendPacked(nil, &main)
	args := []any{"lobby", 1, true, nil, &position{1.5, 2, "x"}, []byte("abc")}
	out := make([]byte, 0, 1024)
	for _, c := range []struct {
		name string
		most float64
		run  func() error
	}{
		{"reading a text", 1, func() error { _, _, err := d.text(text, &testLimits); return err }},
		{"reading a msgpack message", 2, func() error { _, err := readPacked(packed, &testLimits); return err }},
		{"reading a msgpack message of the main namespace", 1, func() error { _, err := readPacked(packedMain, &testLimits); return err }},
		{"writing a text", 0, func() error { _, _, err := appendText(out, &p); return err }},
		{"writing a msgpack message", 0, func() error { appendPacked(out, &p); return nil }},
		{"writing an event", 0, func() error { _, err := appendEvent(out, "move", args); return err }},
	} {
		if err := c.run(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if n := testing.AllocsPerRun(100, func() { _ = c.run() }); n > c.most {
			t.Errorf("%s: %v allocations, %v are enough", c.name, n, c.most)
		}
	}
}
