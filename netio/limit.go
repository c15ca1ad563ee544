package netio

import "math"

// rate is a token bucket without the bucket: a connection keeps one number, the moment at which it will have paid for
// all that it has used, in nanoseconds of the engine's clock (the generic cell rate algorithm). The zero rate is unlimited.
type rate struct {
	perSecond int64
	burst     int64 // nanoseconds that a connection may be in debt
}

func newRate(perSecond, burst int) rate {
	if perSecond < 0 {
		return rate{}
	}
	r := rate{perSecond: int64(perSecond)}
	r.burst = r.cost(int64(burst))
	return r
}

// cost is how long n tokens take to come, in nanoseconds.
func (r rate) cost(n int64) int64 {
	if n > math.MaxInt64/int64(1e9) {
		return math.MaxInt64 / 4
	}
	return n * int64(1e9) / r.perSecond
}

// take uses n tokens of the connection whose debt is *paid; false: there are not that many.
func (r rate) take(paid *int64, now, n int64) bool {
	if r.perSecond == 0 {
		return true
	}
	p := max(*paid, now) + r.cost(n)
	if p-now > r.burst {
		return false
	}
	*paid = p
	return true
}
