package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stage is where a crowd performs that a test looks at.
type stage struct {
	mu     sync.Mutex
	opened int
	bots   map[string][]*puppet // by room
	broken error                // nobody comes in
	slow   time.Duration        // that it takes to come in
	tries  int
}

// puppet is a bot without a socket.
type puppet struct {
	s    *stage
	room string
	done chan struct{}
	once sync.Once
}

func (p *puppet) Done() <-chan struct{} { return p.done }

func (p *puppet) Close() error {
	p.once.Do(func() {
		p.s.mu.Lock()
		defer p.s.mu.Unlock()
		p.s.bots[p.room] = slices.DeleteFunc(p.s.bots[p.room], func(other *puppet) bool { return other == p })
		if len(p.s.bots[p.room]) == 0 {
			delete(p.s.bots, p.room)
		}
		close(p.done)
	})
	return nil
}

func (s *stage) open() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened++
	return fmt.Sprint("room", s.opened), nil
}

func (s *stage) letIn(ctx context.Context, id string) (bot, error) {
	select {
	case <-time.After(s.slow):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	if s.broken != nil {
		return nil, s.broken
	}
	p := &puppet{s: s, room: id, done: make(chan struct{})}
	s.bots[id] = append(s.bots[id], p)
	return p, nil
}

// sizes are how many bots each room has, in order.
func (s *stage) sizes() (sizes []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, bots := range s.bots {
		sizes = append(sizes, len(bots))
	}
	slices.Sort(sizes)
	return sizes
}

// perform runs a crowd for as long as f takes, in a bubble.
func perform(t *testing.T, f func(c *crowd, s *stage)) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{bots: map[string][]*puppet{}}
		c := newCrowd(s.open, s.letIn)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { c.run(ctx); close(ended) }()
		f(c, s)
		cancel()
		<-ended
		if got := s.sizes(); len(got) > 0 {
			t.Errorf("at the end rooms have %v bots", got)
		}
		if d := c.demo(); d.Watch != "" {
			t.Errorf("at the end there is room %s to look at", d.Watch)
		}
	})
}

func (s *stage) want(t *testing.T, what string, sizes ...int) {
	t.Helper()
	synctest.Wait()
	if got := s.sizes(); !slices.Equal(got, sizes) {
		t.Errorf("%s: rooms have %v bots; want %v", what, got, sizes)
	}
}

func TestTheCrowdIsAsLargeAsAskedFor(t *testing.T) {
	perform(t, func(c *crowd, s *stage) {
		s.want(t, "before anybody asks")
		for _, a := range []struct {
			Ask
			want []int
		}{
			{Ask{3, 4}, []int{4, 4, 4}},
			{Ask{1, 4}, []int{4}},
			{Ask{2, 6}, []int{6, 6}},
			{Ask{2, 1}, []int{1, 1}},
			{Ask{0, 9}, nil},
			{Ask{1, -5}, []int{1}},
			{Ask{-3, 1}, nil},
		} {
			c.ask(a.Ask)
			s.want(t, fmt.Sprint(a.Ask), a.want...)
			if d := c.demo(); (d.Watch != "") != (len(a.want) > 0) || (d.Watch != "" && len(s.bots[d.Watch]) == 0) {
				t.Errorf("%v: one is to look at room %q", a.Ask, d.Watch)
			}
		}
		c.ask(Ask{1 << 40, 1 << 40})
		s.want(t, "beyond all bounds", slices.Repeat([]int{maxBots}, maxRooms)...)
		if d := c.demo(); d.Rooms != maxRooms || d.Bots != maxBots {
			t.Errorf("the demo is %+v", d)
		}
	})
}

func TestBotsThatAreGoneAreReplaced(t *testing.T) {
	perform(t, func(c *crowd, s *stage) {
		c.ask(Ask{2, 3})
		s.want(t, "at first", 3, 3)
		first := c.demo().Watch
		_ = s.bots[first][1].Close()
		s.want(t, "one has gone", 2, 3)
		time.Sleep(lookEvery)
		s.want(t, "a while later", 3, 3)
		if s.opened != 2 {
			t.Errorf("%d rooms were made", s.opened)
		}
		for _, p := range slices.Clone(s.bots[first]) {
			_ = p.Close()
		}
		time.Sleep(lookEvery)
		s.want(t, "after a whole room", 3, 3)
		if now := c.demo().Watch; now == first || len(s.bots[now]) == 0 {
			t.Errorf("one is to look at %q; %q is over", now, first)
		}
	})
}

func TestTheCrowdTriesAgain(t *testing.T) {
	perform(t, func(c *crowd, s *stage) {
		s.broken = errors.New("the server is full")
		c.ask(Ask{2, 2})
		time.Sleep(10*lookEvery + lookEvery/2)
		s.want(t, "while nobody gets in")
		if s.tries < 9 || s.tries > 12 || s.opened > 12 {
			t.Errorf("in ten seconds it tried %d times, with %d rooms", s.tries, s.opened)
		}
		s.mu.Lock()
		s.broken = nil
		s.mu.Unlock()
		time.Sleep(lookEvery)
		s.want(t, "afterwards", 2, 2)
	})
}

func TestAWishIsHeardWhileBotsCome(t *testing.T) {
	perform(t, func(c *crowd, s *stage) {
		s.slow = 100 * time.Millisecond
		c.ask(Ask{maxRooms, maxBots})
		time.Sleep(time.Second)
		c.ask(Ask{1, 2})
		time.Sleep(time.Second)
		s.want(t, "a second later", 2)
		if s.tries > 12 {
			t.Errorf("%d bots came", s.tries)
		}
	})
}
