package main

import "fmt"

// stream is what arrives of numbers that were sent as 1, 2, 3 and so on.
type stream struct {
	high    int          // the highest number that came
	missing map[int]bool // those below it that did not; nil: none
	twice   int
	late    int
}

// take notes that number n came, and reports whether it was the one that was due.
func (s *stream) take(n int) bool {
	switch {
	case n == s.high+1:
		s.high = n
		return true
	case n > s.high:
		if s.missing == nil {
			s.missing = map[int]bool{}
		}
		for i := s.high + 1; i < n; i++ {
			s.missing[i] = true
		}
		s.high = n
	case s.missing[n]:
		delete(s.missing, n)
		s.late++
	default:
		s.twice++
	}
	return false
}

// tally is the sum of many streams.
type tally struct{ sent, received, lost, duplicated, reordered int }

// add counts a stream of which sent numbers were sent.
func (t *tally) add(s *stream, sent int) {
	came := s.high - len(s.missing)
	t.sent += sent
	t.received += came
	t.lost += max(0, sent-came)
	t.duplicated += s.twice
	t.reordered += s.late
}

// exact reports whether all of want events came as they should.
func (t tally) exact(want int) bool { return t == tally{sent: want, received: want} }

// line is the last line of a run.
func (t tally) line(cuts int) string {
	return fmt.Sprintf("chaos: sent %d, received %d, lost %d, duplicated %d, reordered %d, cuts %d",
		t.sent, t.received, t.lost, t.duplicated, t.reordered, cuts)
}

// has reports whether all numbers up to n have come.
func (s *stream) has(n int) bool { return s.high >= n && len(s.missing) == 0 }
