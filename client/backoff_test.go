package client

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/volley-go/volley/codec"
)

const ms = time.Millisecond

// TestBackoffLimits: the limit doubles and ends.
func TestBackoffLimits(t *testing.T) {
	cases := []struct {
		name string
		cfg  Reconnect
		want string // of tries 1, 2, 3 …
	}{
		{"defaults", Reconnect{}, "500ms 1s 2s 4s 8s 16s 30s 30s"},
		{"a Max below Min", Reconnect{Min: 2 * time.Second, Max: time.Second}, "1s 1s"},
		{"Min is Max", Reconnect{Min: time.Second, Max: time.Second}, "1s 1s"},
		{"tiny", Reconnect{Min: 1, Max: 3}, "1ns 2ns 3ns 3ns"},
		{"the longest", Reconnect{Min: 1 << 62, Max: 1<<63 - 1}, "1281023h53m38.427387904s 2562047h47m16.854775807s 2562047h47m16.854775807s"},
	}
	for _, tc := range cases {
		cfg := tc.cfg.withDefaults()
		var got []string
		for try := range strings.Count(tc.want, " ") + 1 {
			got = append(got, cfg.limit(try+1).String())
		}
		equal(t, tc.name, strings.Join(got, " "), tc.want)
	}
	cfg := Reconnect{}.withDefaults()
	equal(t, "a million tries", cfg.limit(1e6), 30*time.Second)
}

// happens is an end, and what the policy makes of it.
type happens struct {
	end    CloseError
	lasted time.Duration
	want   string // the wait, or "stop"
}

func remote(code codec.Code) CloseError { return CloseError{Code: code, Remote: true} }

// TestBackoffPolicy: sequences of ends, with a random source in the middle: each wait is half of its limit.
func TestBackoffPolicy(t *testing.T) {
	cut := CloseError{Code: Lost, Cause: fmt.Errorf("cut")}
	delayed := remote(codec.GoingAway)
	delayed.Delay = 3 * time.Second
	upgrade := func(status int) CloseError { return *lost(&UpgradeError{Status: status}) }
	cases := []struct {
		name   string
		cfg    Reconnect
		ghosts bool
		seq    []happens
	}{
		{"losses double the limit, until a connection is steady", Reconnect{}, false, []happens{
			{cut, time.Hour, "250ms"}, {cut, 0, "500ms"}, {cut, 9 * time.Second, "1s"}, {cut, 10 * time.Second, "250ms"}, {cut, 0, "500ms"},
		}},
		{"a steadiness of one's own", Reconnect{Steady: time.Second}, false, []happens{{cut, 0, "250ms"}, {cut, time.Second, "250ms"}}},
		{"at the limit the wait stays random", Reconnect{Min: 8 * time.Second, Max: 10 * time.Second}, false, []happens{
			{cut, 0, "4s"}, {cut, 0, "5s"}, {cut, 0, "5s"},
		}},
		{"the server's delay comes before", Reconnect{}, false, []happens{{delayed, time.Hour, "3.25s"}, {delayed, 0, "3.5s"}}},
		{"no", Reconnect{}, false, []happens{{remote(codec.Unauthorized), 0, "stop"}}},
		{"normal, by the server", Reconnect{}, false, []happens{{remote(codec.Normal), time.Hour, "stop"}}},
		{"a fault found here", Reconnect{}, false, []happens{{CloseError{Code: codec.Malformed}, time.Hour, "stop"}}},
		{"new, at once, but once only", Reconnect{}, false, []happens{
			{remote(codec.SlowConsumer), 5 * time.Second, "0s"}, {remote(codec.SlowConsumer), 5 * time.Second, "500ms"},
			{remote(codec.SlowConsumer), 10 * time.Second, "0s"},
		}},
		{"a token that is refused, after a try", Reconnect{}, false, []happens{
			{cut, time.Minute, "250ms"}, {remote(codec.ResumeFailed), 0, "0s"}, {cut, 0, "1s"},
		}},
		{"a dead server", Reconnect{}, false, []happens{{CloseError{Code: codec.IdleTimeout}, time.Hour, "0s"}, {cut, 0, "500ms"}}},
		{"no code, unknown codes", Reconnect{}, false, []happens{
			{remote(NoCode), time.Hour, "250ms"}, {remote(4500), time.Hour, "250ms"}, {remote(4050), time.Hour, "stop"},
		}},
		{"off", Reconnect{Off: true}, false, []happens{{cut, time.Hour, "stop"}}},
		{"two tries", Reconnect{Tries: 2}, false, []happens{
			{cut, time.Hour, "250ms"}, {cut, 0, "500ms"}, {cut, 10 * time.Second, "250ms"}, {cut, 0, "500ms"}, {cut, 0, "stop"},
		}},
		{"replaced by somebody", Reconnect{}, false, []happens{{remote(codec.Replaced), time.Second, "stop"}}},
		{"replaced by a try of our own", Reconnect{}, true, []happens{{remote(codec.Replaced), time.Second, "250ms"}}},
		{"replaced long after", Reconnect{}, true, []happens{{remote(codec.Replaced), time.Minute, "stop"}}},
		{"HTTP: overloaded", Reconnect{}, false, []happens{{upgrade(503), 0, "250ms"}, {upgrade(502), 0, "500ms"}, {upgrade(429), 0, "1s"}, {upgrade(408), 0, "2s"}}},
		{"HTTP: forbidden", Reconnect{}, false, []happens{{upgrade(403), 0, "stop"}}},
		{"HTTP: another place", Reconnect{}, false, []happens{{upgrade(302), 0, "stop"}}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			cfg := tc.cfg.withDefaults()
			cfg.Rand = func() float64 { return 0.5 }
			b := backoff{ghosts: tc.ghosts}
			for i, h := range tc.seq {
				wait, again := b.next(&cfg, &h.end, h.lasted)
				got := wait.String()
				if !again {
					got = "stop"
				}
				if got != h.want {
					t.Fatalf("step %d, %v after %v: %s, want %s", i+1, h.end.Code, h.lasted, got, h.want)
				}
			}
		})
	}
}

// TestFullJitter: the waits fill the whole range below the limit, evenly, and at the last limit as well.
func TestFullJitter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	cfg := Reconnect{Rand: rng.Float64}.withDefaults()
	for _, tries := range []int{0, 3, 1000} {
		limit := cfg.limit(tries + 1)
		var tenths [10]int
		for range 10_000 {
			b := backoff{tries: tries}
			wait, _ := b.next(&cfg, &CloseError{Code: Lost}, 0)
			if wait < 0 || wait >= limit {
				t.Fatalf("after %d tries: %v is not below %v", tries, wait, limit)
			}
			tenths[wait*10/limit]++
		}
		for i, n := range tenths {
			if n < 850 || n > 1150 {
				t.Errorf("after %d tries: %d of 10,000 waits are in tenth %d", tries, n, i)
			}
		}
	}
}

// TestEndsSession: which ends cost the token.
func TestEndsSession(t *testing.T) {
	for code, want := range map[codec.Code]bool{
		codec.SlowConsumer: true, codec.BadSequence: true, codec.ResumeFailed: true,
		codec.IdleTimeout: false, codec.GoingAway: false, codec.RateLimited: false, codec.InboxFull: false, Lost: false, NoCode: false,
	} {
		equal(t, code.String(), endsSession(&CloseError{Code: code}), want)
	}
}

// TestPlaces: where to dial after a BYE's address and after tries that reach nobody.
func TestPlaces(t *testing.T) {
	const home = "ws://a:1/volley"
	cases := []struct {
		name, home string
		does       string // what happens: an address, or "missed"
		want       string // where to dial at first and after each step
	}{
		{"nowhere else", home, "missed missed", home + " " + home + " " + home},
		{"moved, and back in turn", home, "ws://b:2/x missed missed missed ws://c:3/", home + " ws://b:2/x " + home + " ws://b:2/x " + home + " ws://c:3/"},
		{"found at home, then moved again", home, "ws://b/ missed ws://b/", home + " ws://b/ " + home + " ws://b/"},
		{"no address at all", home, " b:2 http://b/ ws:// ://", home + " " + home + " " + home + " " + home + " " + home + " " + home},
		{"to TLS", home, "wss://b/", home + " wss://b/"},
		{"never from TLS", "wss://a/", "ws://b/", "wss://a/ wss://a/"},
		{"host and port over TCP", "tcp://a:1", "b:2", "tcp://a:1 tcp://b:2"},
		{"host and port over TCP and TLS", "tcps://a:1", "b:2 tcp://b:2", "tcps://a:1 tcps://b:2 tcps://b:2"},
		{"TCP without a port", "tcp://a:1", "b", "tcp://a:1 tcp://a:1"},
	}
	for _, tc := range cases {
		p := places{home: tc.home}
		got := []string{p.current()}
		for _, step := range strings.Split(tc.does, " ") {
			if step == "missed" {
				p.missed()
			} else {
				p.move(step)
			}
			got = append(got, p.current())
		}
		equal(t, tc.name, strings.Join(got, " "), tc.want)
	}
}
