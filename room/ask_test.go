package room_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
	"github.com/volley-go/volley/tick"
)

const (
	add   room.Call[[]int, int]  = "add"
	guess room.Call[string, int] = "guess"
)

// quiz is a game that asks its clients, and is asked.
type quiz struct {
	room    *room.Room
	outcome []string // of each ask, in order
	onLeave func(c *room.Client)
}

type quizTicker struct{ *quiz }

func (quizTicker) Tick(tick.Tick) {}

func (q *quiz) Join(*room.Client) error { return nil }
func (q *quiz) Leave(c *room.Client) {
	if q.onLeave != nil {
		q.onLeave(c)
	}
}

func (q *quiz) Add(_ *room.Client, numbers []int) (int, error) {
	sum := 0
	for _, n := range numbers {
		sum += n
	}
	if sum < 0 {
		return 0, errors.New("too small to say")
	}
	return sum, nil
}

// ask asks a client and notes the outcome with its time.
func (q *quiz) ask(c *room.Client, question string, timeout time.Duration) {
	start := q.room.Now()
	room.Ask(c, guess, question, timeout, func(n int, err error) {
		took := q.room.Now().Sub(start).Round(50 * time.Millisecond)
		q.outcome = append(q.outcome, fmt.Sprintf("%s: %d %v after %v", question, n, err, took))
	})
}

// newQuiz returns a bed with one quiz, and two players in it.
func newQuiz(t *testing.T, rate int) (bed *roomtest.Bed, q *quiz, ann, bob *roomtest.Player) {
	make := func(r *room.Room) *quiz { q = &quiz{room: r}; return q }
	cfg := room.Config{Rate: rate}
	if rate > 0 {
		k := room.Define("quiz", func(r *room.Room) quizTicker { return quizTicker{make(r)} }, cfg)
		room.Handle(k, add, func(q quizTicker, c *room.Client, numbers []int) (int, error) { return q.Add(c, numbers) })
		room.On(k, "note", func(quizTicker, *room.Client, string) {})
		bed = roomtest.New(t, k)
	} else {
		k := room.Define("quiz", make, cfg)
		room.Handle(k, add, (*quiz).Add)
		room.On(k, "note", func(*quiz, *room.Client, string) {})
		bed = roomtest.New(t, k)
	}
	ann, bob = bed.Join("quiz", nil), bed.Join("quiz", nil)
	return bed, q, ann, bob
}

// do runs fn in the room and lets a little time pass.
func do(bed *roomtest.Bed, r *room.Room, fn func()) {
	r.Post(fn)
	bed.Run(100 * time.Millisecond)
}

// asked returns the ids of the requests that a player got for the call, oldest first.
func asked(p *roomtest.Player, call string) (ids []uint32) {
	for _, packet := range p.Packets() {
		if packet.Kind == codec.Request && packet.Event == call {
			ids = append(ids, packet.ID)
		}
	}
	return ids
}

func TestRequestsFromClients(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		bed, _, ann, bob := newQuiz(t, rate)
		sum, sad := ann.Request("add", []int{1, 2, 3}), ann.Request("add", []int{-1})
		note := ann.Request("note", "an event with a wish for a reply")
		ann.Emit("add", []int{1})
		same := bob.Request("add", []int{40, 2})
		bed.Run(second)

		n, err := roomtest.Reply[int](ann, sum)
		assert.NoError(t, err)
		assert.Equal(t, 6, n)
		_, err = roomtest.Reply[int](ann, sad)
		assert.EqualError(t, err, "too small to say")
		nothing, err := roomtest.Reply[any](ann, note)
		assert.NoError(t, err)
		assert.Nil(t, nothing)
		n, err = roomtest.Reply[int](bob, same)
		assert.NoError(t, err)
		assert.Equal(t, 42, n)
		assert.Len(t, ann.Packets(), 3, "a request sent as an event gets no reply")
		assert.Len(t, bob.Packets(), 1)

		bob.Request("add", "no numbers")
		bed.Run(second)
		require.NotNil(t, bob.Left)
		assert.Equal(t, codec.BadPayload, bob.Left.Code)
		assert.Contains(t, bob.Left.Reason, "event add")
		assert.Nil(t, ann.Left)
	})
}

func TestAsk(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		bed, q, ann, bob := newQuiz(t, rate)
		do(bed, q.room, func() {
			q.ask(ann.Client, "one", 0)
			q.ask(ann.Client, "two", 0)
			q.ask(bob.Client, "three", 0)
		})
		a, b := asked(ann, "guess"), asked(bob, "guess")
		require.Len(t, a, 2)
		require.Len(t, b, 1)
		ann.Answer(a[1], 2)
		ann.Answer(a[1], 22)
		ann.Answer(999, 3)
		text, err := codec.Marshal("I do not guess")
		require.NoError(t, err)
		ann.Send(codec.Packet{Kind: codec.Failure, Index: codec.NoIndex, Payload: text, ID: a[0]})
		bob.Answer(b[0], 3)
		bed.Run(time.Minute)
		assert.Equal(t, []string{
			"two: 2 <nil> after 100ms",
			"one: 0 the client says: I do not guess after 100ms",
			"three: 3 <nil> after 100ms",
		}, normal(q.outcome))
		assert.Nil(t, ann.Failed, "replies that nobody waits for are passed over")
	})
}

// normal makes the outcomes of both kinds of rooms alike: what took up to two ticks took 100 ms.
func normal(outcomes []string) []string {
	for i, o := range outcomes {
		outcomes[i] = strings.NewReplacer("after 0s", "after 100ms", "after 50ms", "after 100ms").Replace(o)
	}
	return outcomes
}

func TestAskTimesOut(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		bed, q, ann, bob := newQuiz(t, rate)
		do(bed, q.room, func() {
			q.ask(ann.Client, "soon", time.Second)
			q.ask(ann.Client, "never", 0)
			q.ask(bob.Client, "later", 2*time.Second)
		})
		bed.Run(11 * second)
		late := asked(ann, "guess")
		ann.Answer(late[0], 1)
		bed.Run(second)
		assert.Nil(t, ann.Failed, "a late reply is passed over")
		require.Len(t, q.outcome, 3)
		for i, want := range []string{"soon: 0 room: no reply in time after 1", "later: 0 room: no reply in time after 2", "never: 0 room: no reply in time after 10"} {
			assert.Contains(t, q.outcome[i], want)
		}
	})
}

func TestAskOfLeavers(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		bed, q, ann, bob := newQuiz(t, rate)
		q.onLeave = func(c *room.Client) { q.ask(c, "in Leave", 0) }
		do(bed, q.room, func() {
			q.ask(bob.Client, "first", 0)
			q.ask(bob.Client, "second", 0)
		})
		bob.Leave()
		bed.Run(second)
		do(bed, q.room, func() { q.ask(bob.Client, "gone", 0) })
		bed.Run(second)
		left := "0 room: the client left before it replied after "
		require.Len(t, q.outcome, 4)
		for i, question := range []string{"first", "second", "in Leave", "gone"} {
			assert.Contains(t, q.outcome[i], question+": "+left)
		}
		assert.Empty(t, asked(ann, "guess"))
	})
}

func TestAskInARefusedJoin(t *testing.T) {
	outcome := error(nil)
	s := newSet(t, room.Config{EmptyFor: -1}, func(h *hall) {
		h.onJoin = func(c *room.Client) error {
			room.Ask(c, guess, "who?", 0, func(_ int, err error) { outcome = err })
			return errors.New("no")
		}
	})
	s.TryJoin(codec.JoinOrCreate, "hall", nil, nil)
	assert.ErrorIs(t, outcome, room.ErrLeft)
}

func TestTooManyAsks(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		bed, q, ann, bob := newQuiz(t, rate)
		tries := 0
		var again func()
		again = func() { // a game that will not take no for an answer costs a try a tick, and not the room
			tries++
			room.Ask(ann.Client, guess, "again", 0, func(_ int, err error) {
				if errors.Is(err, room.ErrTooManyAsks) {
					again()
				}
			})
		}
		do(bed, q.room, func() {
			for range 64 {
				q.ask(ann.Client, "many", time.Minute)
			}
			q.ask(ann.Client, "one more", 0)
			q.ask(bob.Client, "another", 0)
			again()
		})
		bed.Run(second)
		require.Len(t, q.outcome, 1)
		assert.Contains(t, q.outcome[0], "one more: 0 room: too many unanswered requests to one client")
		assert.Len(t, asked(ann, "guess"), 64)
		assert.Len(t, asked(bob, "guess"), 1)
		assert.InDelta(t, 20, tries, 5)
	})
}

func TestReplyThatDoesNotFit(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		bed, q, ann, bob := newQuiz(t, rate)
		do(bed, q.room, func() { q.ask(ann.Client, "bad", 0) })
		ann.Answer(asked(ann, "guess")[0], "seven")
		bed.Run(second)
		require.Len(t, q.outcome, 1)
		assert.Contains(t, q.outcome[0], "bad: 0 bad-payload: ")
		require.NotNil(t, ann.Failed)
		assert.Equal(t, codec.BadPayload, ann.Failed.Code)
		assert.Contains(t, ann.Failed.Reason, "a reply: ")
		assert.Equal(t, codec.BadPayload, ann.Left.Code)
		assert.Nil(t, bob.Left)
		assert.Equal(t, uint64(1), bed.Host.Stats().Bad)
	})
}

func TestAskForWhatNoReplyCanBe(t *testing.T) {
	bed, q, ann, _ := newQuiz(t, 0)
	const bad room.Call[int, chan int] = "bad"
	said := any(nil)
	do(bed, q.room, func() {
		defer func() { said = recover() }()
		room.Ask(ann.Client, bad, 1, 0, func(chan int, error) {})
	})
	assert.Contains(t, said, "room: ask bad: codec: type chan int")
	assert.Nil(t, ann.Left)
}
