package socketio

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/volley-go/volley/codec"
)

// exactPowers are the powers of ten that a float64 holds exactly.
var exactPowers = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

const (
	maxWhole  = 1 << 53 // to which a float64 holds every whole number
	maxDigits = 19      // that always fit 64 bits
)

// digits reads decimal digits at p, onto what was read before, and returns where they end.
func digits(s []byte, p int, m uint64) (uint64, int) {
	for ; p < len(s) && s[p]-'0' <= 9; p++ {
		m = m*10 + uint64(s[p]-'0')
	}
	return m, p
}

// number reads a number. Written as a whole one within ±2^53 it becomes an integer, otherwise a float64.
func (t *jsonReader) number() error {
	s, p := t.src, t.p
	minus := s[p] == '-'
	if minus {
		p++
	}
	start := p
	m, p := digits(s, p, 0)
	n := p - start
	if n == 0 || n > 1 && s[start] == '0' {
		return errJSONNumber
	}
	if p < len(s) && (s[p] == '.' || s[p] == 'e' || s[p] == 'E') {
		return t.fraction(p, m, n)
	}
	if n >= maxDigits || m > maxWhole {
		return t.float(p, m, n, 0)
	}
	t.p = p
	if minus {
		t.out = codec.AppendInt(t.out, -int64(m))
	} else {
		t.out = codec.AppendUint(t.out, m)
	}
	return nil
}

// fraction reads what comes after the n digits of a number's whole part, which are m.
func (t *jsonReader) fraction(p int, m uint64, n int) error {
	s, exponent := t.src, 0
	if s[p] == '.' {
		start := p + 1
		m, p = digits(s, start, m)
		if p == start {
			return errJSONNumber
		}
		n += p - start
		exponent = start - p
	}
	if p < len(s) && (s[p] == 'e' || s[p] == 'E') {
		p++
		minus := p < len(s) && s[p] == '-'
		if minus || p < len(s) && s[p] == '+' {
			p++
		}
		start := p
		var e uint64
		e, p = digits(s, start, 0)
		switch {
		case p == start:
			return errJSONNumber
		case p-start > 6: // far beyond the exact ones, whatever it is
			n = maxDigits
		case minus:
			exponent -= int(e)
		default:
			exponent += int(e)
		}
	}
	return t.float(p, m, n, exponent)
}

// float appends the number that ends at p: n digits that are m, times ten to the exponent.
func (t *jsonReader) float(p int, m uint64, n, exponent int) error {
	text := t.src[t.p:p]
	t.p = p
	var f float64
	if n < maxDigits && m <= maxWhole && -exponent < len(exactPowers) && exponent < len(exactPowers) {
		if f = float64(m); exponent < 0 {
			f /= exactPowers[-exponent]
		} else {
			f *= exactPowers[exponent]
		}
		if text[0] == '-' {
			f = -f
		}
	} else {
		var err error
		if f, err = strconv.ParseFloat(string(text), 64); err != nil {
			return errHugeNumber
		}
	}
	t.out = binary.BigEndian.AppendUint64(append(t.out, msgpackFloat), math.Float64bits(f))
	return nil
}
