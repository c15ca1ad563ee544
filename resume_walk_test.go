package volley_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// roamer is a ghost and the model of its session.
type roamer struct {
	*ghost
	live     bool
	gone     bool   // the server may not know it any more
	previous string // a token that still works, because the client has not spoken since; empty: none
	used     []string
}

// roaming is a random walk through the lives of sessions, with what the server must hold after each step.
type roaming struct {
	t       *testing.T
	rng     *rand.Rand
	srv     *running
	dens    *dens
	most    int // connections
	roamers []*roamer
	step    string
}

func (w *roaming) live() (n int) {
	for _, r := range w.roamers {
		if r.live {
			n++
		}
	}
	return n
}

// one returns a roamer that lives, or one that is away; nil if there is none.
func (w *roaming) one(live bool) *roamer {
	var those []*roamer
	for _, r := range w.roamers {
		if r.live == live && !r.gone {
			those = append(those, r)
		}
	}
	if len(those) == 0 {
		return nil
	}
	return those[w.rng.IntN(len(those))]
}

// come adds a client.
func (w *roaming) come() {
	transport := []string{"ws", "tcp"}[w.rng.IntN(2)]
	if w.live() == w.most {
		raw := dialFull(w.t, w.srv)
		require.Equal(w.t, codec.Overloaded, raw.end(), w.step)
		return
	}
	r := &roamer{ghost: newGhost(w.t, w.srv, transport), live: true}
	for channel := range uint32(w.rng.IntN(3)) {
		r.join(channel, "")
	}
	w.roamers = append(w.roamers, r)
}

// dialFull dials a server that takes no more connections, over TCP, where BYE says so.
func dialFull(t *testing.T, srv *running) *raw {
	raw := dialRaw(t, srv, "tcp")
	raw.send(codec.AppendHello(nil, nil))
	return raw
}

// leaves says goodbye, and closes when the server has.
func (r *roamer) leaves() {
	r.send(codec.AppendClientBye(nil, codec.Normal, ""))
	r.over()
	_ = r.conn.Close()
	r.live, r.gone = false, true
}

// back resumes r's session with its last token, or the one before.
func (w *roaming) back(r *roamer) {
	if w.live() == w.most && !r.live {
		require.Equal(w.t, codec.Overloaded, dialFull(w.t, w.srv).end(), w.step)
		return
	}
	if w.live() == w.most {
		return // a takeover needs a second connection for a moment
	}
	last, token := r.welcome.Token, r.welcome.Token
	if r.previous != "" && w.rng.IntN(2) == 0 {
		token = r.previous
	}
	wish := r.wish()
	if len(wish) > 0 && w.rng.IntN(4) == 0 { // one membership is given up
		delete(r.seats, wish[0].Channel)
		wish = wish[1:]
	}
	was := r.live
	before, refused := r.resume(token, wish)
	require.Zero(w.t, refused, w.step)
	if was {
		require.Equal(w.t, codec.Replaced, before.end(), w.step)
	}
	if token == last {
		if r.previous != "" {
			r.used = append(r.used, r.previous)
		}
		r.previous = token
	}
	r.live = true
	for channel, s := range r.seats {
		require.True(w.t, s.joined, "%s: channel %d", w.step, channel)
	}
}

// speaks has the client say something, which ends the token before.
func (w *roaming) speaks(r *roamer) {
	if r.previous != "" {
		r.used, r.previous = append(r.used, r.previous), ""
	}
	for channel, s := range r.seats {
		n := len(s.heard)
		text := fmt.Sprint(w.rng.Int())
		s.sent = max(s.sent, s.told)
		r.emit(channel, "speak", text)
		echo := fmt.Sprintf(": %s", text)
		r.until(func() bool {
			for _, heard := range s.heard[n:] {
				if len(heard) > len(echo) && heard[len(heard)-len(echo):] == echo {
					return true
				}
			}
			return false
		})
		return
	}
	r.send(codec.AppendLeave(nil, 7)) // about a channel that is not in use
	r.send(codec.AppendJoin(nil, 7, codec.JoinByID, "nowhere", nil))
	r.until(func() bool { return r.seat(7).left != 0 })
	delete(r.seats, 7)
}

// refuse tries a token that does not work, of a session that may live or not.
func (w *roaming) refuse(r *roamer) {
	if w.live() == w.most {
		return
	}
	token := r.welcome.Token[:37] + "!"
	switch {
	case len(r.used) > 0:
		token = r.used[w.rng.IntN(len(r.used))]
	case r.gone:
		token = r.welcome.Token
	}
	if token == r.previous || token == r.welcome.Token && !r.gone {
		return
	}
	raw := dialRaw(w.t, w.srv, "tcp")
	raw.send(codec.AppendResume(nil, nil, codec.Resume{Token: token, Channels: r.wish()}))
	require.Equal(w.t, codec.ResumeFailed, raw.end(), w.step)
}

// verify waits until the server holds what the model says, and then nothing else.
func (w *roaming) verify() {
	live, away, seats, emptySeats := 0, 0, 0, 0
	for _, r := range w.roamers {
		switch {
		case r.live:
			live, seats = live+1, seats+len(r.seats)
		case !r.gone:
			away, seats, emptySeats = away+1, seats+len(r.seats), emptySeats+len(r.seats)
		}
	}
	rooms := 0
	if seats > 0 {
		rooms = 1
	}
	what := ""
	defer func() {
		if w.t.Failed() {
			w.t.Logf("%s: %s", w.step, what)
		}
	}()
	eventually(w.t, w.step, func() bool {
		st := w.srv.Stats()
		got := []int{st.Net.Open, st.Sessions.Held, st.Sessions.Away, w.dens.clients(), st.Rooms.Away, st.Rooms.Rooms}
		want := []int{live, live + away, away, seats, emptySeats, rooms}
		what = fmt.Sprintf("connections, sessions, away, clients, away, rooms: %v, want %v", got, want)
		return fmt.Sprint(got) == fmt.Sprint(want)
	})
}

func TestSessionsRandomWalk(t *testing.T) {
	const steps = 300
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			kind, all := newDens(room.Config{Grace: time.Hour})
			quiet := slog.New(slog.DiscardHandler)
			srv := serve(t, volley.Config{MaxConns: 5, Logger: quiet}, kind)
			w := &roaming{t: t, rng: rand.New(rand.NewPCG(seed, 1)), srv: srv, dens: all, most: 5}
			for n := range steps {
				w.walk(n)
				w.verify()
			}
			for _, r := range w.roamers { // all go
				if r.live {
					r.leaves()
				}
			}
			w.step = "the end"
			w.verify()
		})
	}
}

// walk does one thing.
func (w *roaming) walk(n int) {
	live, away := w.one(true), w.one(false)
	switch k := w.rng.IntN(12); {
	case k < 2 || live == nil && away == nil:
		w.step = fmt.Sprintf("step %d: come", n)
		w.come()
	case k < 4 && live != nil:
		w.step = fmt.Sprintf("step %d: cut", n)
		live.cut()
		live.live = false
	case k < 7 && away != nil:
		w.step = fmt.Sprintf("step %d: back", n)
		w.back(away)
	case k == 7 && live != nil:
		w.step = fmt.Sprintf("step %d: take over", n)
		w.back(live)
	case k == 8 && live != nil:
		w.step = fmt.Sprintf("step %d: bye", n)
		live.leaves()
	case k == 9 && len(w.roamers) > 0:
		w.step = fmt.Sprintf("step %d: a token that does not work", n)
		w.refuse(w.roamers[w.rng.IntN(len(w.roamers))])
	case k > 9 && live != nil:
		w.step = fmt.Sprintf("step %d: speak", n)
		w.speaks(live)
	}
}

// Several connections want the same session at once, while the one before is being cut. One has it in the end, with the seat.
func TestConcurrentResumes(t *testing.T) {
	kind, all := newDens(room.Config{})
	srv := serve(t, volley.Config{Logger: slog.New(slog.DiscardHandler)}, kind)
	ann := newGhost(t, srv, "tcp")
	ann.join(0, "")
	const rivals = 6
	for round := range 30 {
		wish := codec.AppendResume(nil, nil, codec.Resume{Token: ann.welcome.Token, Channels: ann.wish()})
		before := ann.raw
		var raws [rivals]*raw
		for i := range raws {
			raws[i] = dialRaw(t, srv, "tcp")
		}
		ended := make(chan codec.Code, rivals)
		ann.raw = nil
		for _, raw := range raws {
			go func() {
				raw.send(wish)
				ended <- raw.end()
			}()
		}
		_ = before.conn.Close()
		for range rivals - 1 {
			if code := <-ended; code != codec.Replaced {
				t.Errorf("round %d: a rival was told %v", round, code)
			}
		}
		eventually(t, "one has it", func() bool {
			st := srv.Stats()
			return st.Sessions.Held == 1 && st.Sessions.Away == 0 && st.Net.Open == 1 && st.Rooms.Away == 0 && all.clients() == 1
		})
		// It takes the session back, as the client would whose connection that is.
		ann.raw = dialRaw(t, srv, "tcp")
		ann.send(wish)
		ann.until(func() bool { return ann.seat(0).told == uint64(round) })
		require.Equal(t, codec.Replaced, <-ended)
		s := ann.seat(0)
		ann.emit(0, "speak", "mine")
		n := len(s.heard)
		ann.until(func() bool { return len(s.heard) > n })
	}
}
