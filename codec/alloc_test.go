//go:build !race

package codec

import "testing"

// TestAllocations: what runs for each frame and each packet allocates nothing. Not under the race detector, where sync.Pool
// forgets on purpose.
func TestAllocations(t *testing.T) {
	volley := gameVolley(t)
	packets := make([]Packet, 0, 16)
	input, err := Marshal(&gameInput{Seq: 1000, DX: 0.5, DY: -1})
	if err != nil {
		t.Fatal(err)
	}
	plain, tuple, self := new(gameInput), &tupleInput{Seq: 1, DX: 0.5}, &selfDecoder{1, 2}
	selfBytes := unhex(t, "92 01 02")
	d, dSelf := mustDecoder[gameInput](t), mustDecoder[selfDecoder](t)
	e, buf := NewEncoder(), make([]byte, 0, 4096)
	encode := func(v any) func() error {
		return func() error { _, err := e.Append(buf, v); return err }
	}
	cases := []struct {
		name string
		run  func() error
	}{
		{"reading a VOLLEY", func() error {
			r := NewReader(volley, ClientLimits)
			_, n, err := r.Frame()
			if err != nil {
				return err
			}
			if _, err = r.ClientVolley(n); err != nil {
				return err
			}
			packets, err = r.Packets(n, packets[:0])
			return err
		}},
		{"scanning", func() error { return Scan(input, ClientLimits) }},
		{"scanning what is nested", func() error { return Scan(volley, ClientLimits) }},
		{"decoding a struct", func() error { return d.Decode(input, plain) }},
		{"decoding a type that decodes itself", func() error { return dSelf.Decode(selfBytes, self) }},
		{"encoding a struct", encode(plain)},
		{"encoding as_array", encode(tuple)},
		{"encoding a type that encodes itself", encode(self)},
		{"PutVolley", func() error { PutVolley(buf[:MaxPrefix], MaxPrefix, 1, 1<<40, 1<<40, 20); return nil }},
		{"a frame", func() error { AppendNotice(buf, 1, UnknownEvent, "no handler", 5); return nil }},
		{"an event", func() error { AppendNamedEvent(AppendEvent(buf, 300), "name"); return nil }},
	}
	for _, c := range cases {
		if err := c.run(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if n := testing.AllocsPerRun(1000, func() { c.run() }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}
