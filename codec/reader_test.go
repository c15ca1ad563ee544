package codec

import "testing"

// TestReaderMismatches: whatever is not what the caller wants is BadPayload and says both.
func TestReaderMismatches(t *testing.T) {
	reads := map[string]func(*Reader) error{
		"an array":  func(r *Reader) error { _, err := r.Array(); return err },
		"a map":     func(r *Reader) error { _, err := r.Map(); return err },
		"a string":  func(r *Reader) error { _, err := r.Str(); return err },
		"binary":    func(r *Reader) error { _, err := r.Bin(); return err },
		"a boolean": func(r *Reader) error { _, err := r.Bool(); return err },
		"a number":  func(r *Reader) error { _, err := r.Number(); return err },
	}
	values := map[string][]string{
		"an array":                 {"90", "9f", "dc 0000", "dd 00000000"},
		"a map":                    {"80", "de 0000", "df 00000000"},
		"a string":                 {"a0", "d9 00", "da 0000", "db 00000000"},
		"binary":                   {"c4 00", "c5 0000", "c6 00000000"},
		"a boolean":                {"c2", "c3"},
		"a number":                 {"00", "7f", "ff", "ca 00000000", "d3 0000000000000000"},
		"nil":                      {"c0"},
		"an extension":             {"d6 ff 00000000", "c7 0c ff", "c9 00000000"},
		"the unused byte 0xc1":     {"c1"},
		"the end, where all fail.": {""},
	}
	for kind, list := range values {
		for _, s := range list {
			for want, read := range reads {
				r := NewReader(unhex(t, s), ClientLimits)
				err := read(&r)
				switch {
				case s == "" || s == "9f":
					wantTruncated := s == "" || want == "an array"
					if got := codeOf(t, err); (got == Malformed) != wantTruncated {
						t.Errorf("%q read as %s: %v", s, want, err)
					}
				case kind == want:
					wantCode(t, err, 0)
				default:
					wantCode(t, err, BadPayload)
					if text := "bad-payload: " + kind + " where " + want + " is wanted"; err.Error() != text {
						t.Errorf("%s read as %s: %q, want %q", s, want, err, text)
					}
				}
			}
		}
	}
}

func TestReaderIntegers(t *testing.T) {
	cases := []struct {
		hex          string
		asUint, asIt Code // of Uint and Int
	}{
		{"05", 0, 0},
		{"ff", BadPayload, 0},
		{"cb 3fe0000000000000", BadPayload, BadPayload},
		{"cb 4000000000000000", 0, 0},
		{"cf ffffffffffffffff", 0, BadPayload},
		{"c0", BadPayload, BadPayload},
		{"cd 00", Malformed, Malformed},
		{"", Malformed, Malformed},
	}
	for _, c := range cases {
		r := NewReader(unhex(t, c.hex), ClientLimits)
		_, err := r.Uint()
		wantCode(t, err, c.asUint)
		r = NewReader(unhex(t, c.hex), ClientLimits)
		_, err = r.Int()
		wantCode(t, err, c.asIt)
	}
}

// TestReaderCountsElements: whichever method reads a value, it counts.
func TestReaderCountsElements(t *testing.T) {
	b := unhex(t, "c0 05 ff a0 c4 00 c3 90 80 c0")
	r := NewReader(b, Limits{Elements: 8})
	if !r.Nil() {
		t.Error("no nil")
	}
	r.Uint()
	r.Int()
	r.Str()
	r.Bin()
	r.Bool()
	r.Array()
	if _, err := r.Map(); err != nil {
		t.Error(err)
	}
	_, err := r.Value()
	wantCode(t, err, TooComplex)
	if r.Offset() != len(b)-1 {
		t.Errorf("at %d", r.Offset())
	}
}

func TestLimits(t *testing.T) {
	if got := (Limits{}).WithDefaults(); got != ClientLimits {
		t.Errorf("the zero Limits are %+v", got)
	}
	if got := ServerLimits.WithDefaults(); got != ServerLimits {
		t.Errorf("ServerLimits became %+v", got)
	}
	if got := (Limits{Frame: -1, Packets: 3, Depth: 1000, Elements: 9}).WithDefaults(); got != (Limits{64 << 10, 3, MaxDepth, 9}) {
		t.Errorf("%+v", got)
	}
}
