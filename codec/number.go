package codec

import (
	"math"
	"strconv"
)

type numberKind uint8

const (
	unsigned numberKind = iota // bits is the value
	signed                     // bits is a negative int64
	float                      // bits are those of a float64
)

// Number is a number off the wire in whichever format it came, to be matched by value.
type Number struct {
	bits uint64
	kind numberKind
}

func signedNumber(i int64) Number {
	if i >= 0 {
		return Number{bits: uint64(i), kind: unsigned}
	}
	return Number{bits: uint64(i), kind: signed}
}

// Uint64 returns the number if it is whole and from 0 to 2^64-1. A float counts as whole up to 2^53.
func (n Number) Uint64() (uint64, bool) {
	switch n.kind {
	case unsigned:
		return n.bits, true
	case float:
		f := math.Float64frombits(n.bits)
		if f >= 0 && f <= 1<<53 && f == math.Trunc(f) {
			return uint64(f), true
		}
	}
	return 0, false
}

// Int64 returns the number if it is whole and fits. A float counts as whole up to ±2^53.
func (n Number) Int64() (int64, bool) {
	switch n.kind {
	case unsigned:
		return int64(n.bits), n.bits <= math.MaxInt64
	case signed:
		return int64(n.bits), true
	}
	f := math.Float64frombits(n.bits)
	if f >= -(1<<53) && f <= 1<<53 && f == math.Trunc(f) {
		return int64(f), true
	}
	return 0, false
}

// Float64 returns the number as a float64, rounded if it is an integer beyond 2^53.
func (n Number) Float64() float64 {
	switch n.kind {
	case unsigned:
		return float64(n.bits)
	case signed:
		return float64(int64(n.bits))
	}
	return math.Float64frombits(n.bits)
}

// Value returns the number as int64, or uint64 if it needs it, or float64.
func (n Number) Value() any {
	switch n.kind {
	case unsigned:
		if n.bits > math.MaxInt64 {
			return n.bits
		}
		return int64(n.bits)
	case signed:
		return int64(n.bits)
	}
	return math.Float64frombits(n.bits)
}

func (n Number) String() string {
	switch n.kind {
	case unsigned:
		return strconv.FormatUint(n.bits, 10)
	case signed:
		return strconv.FormatInt(int64(n.bits), 10)
	}
	return strconv.FormatFloat(math.Float64frombits(n.bits), 'g', -1, 64)
}
