//go:build linux

package main

import (
	"github.com/HdrHistogram/hdrhistogram-go"
)

// latencies is a distribution of durations in ns, exact to three digits.
type latencies struct{ h *hdrhistogram.Histogram }

const longest = int64(120e9) // what is longer counts as this

func newLatencies() latencies { return latencies{hdrhistogram.New(1, longest, 3)} }

// record counts a duration. Clocks of one machine agree, so a negative one is rounding.
func (l latencies) record(ns int64) { _ = l.h.RecordValue(min(max(ns, 1), longest)) }

func (l latencies) reset() { l.h.Reset() }

// bytes is the distribution for another process.
func (l latencies) bytes() []byte {
	b, err := l.h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		panic(err) // it has no reason to fail
	}
	return b
}

// add merges what another process has recorded.
func (l latencies) add(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	h, err := hdrhistogram.Decode(b)
	if err != nil {
		return err
	}
	l.h.Merge(h)
	return nil
}

func (l latencies) count() int64 { return l.h.TotalCount() }

// us is a percentile, 0 to 100, in µs.
func (l latencies) us(p float64) float64 { return float64(l.h.ValueAtPercentile(p)) / 1e3 }

// maxUs is the longest, in µs.
func (l latencies) maxUs() float64 { return float64(l.h.Max()) / 1e3 }

// shown are the percentiles of charts.
var shown = []float64{0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100}

func (l latencies) points() []percentile {
	if l.count() == 0 {
		return nil
	}
	out := make([]percentile, len(shown))
	for i, p := range shown {
		out[i] = percentile{p, l.us(p)}
	}
	return out
}

// at is the percentile p of a list of points; 0 if it is not among them.
func at(points []percentile, p float64) float64 {
	for _, q := range points {
		if q.P == p {
			return q.Us
		}
	}
	return 0
}
