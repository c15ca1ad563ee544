package tick_test

import (
	"fmt"
	"time"

	"github.com/volley-go/volley/tick"
)

type counter struct{ name string }

func (c counter) Name() string { return c.name }

func (c counter) Step(t tick.Tick) {
	fmt.Printf("%s: tick %d at %v, %d skipped\n", c.name, t.N, t.Now, t.Skipped)
}

// A scheduler driven by hand: time is what RunDue is told.
func Example() {
	s := tick.New(tick.Config{Manual: true})
	defer s.Close()
	s.Add(counter{"arena"}, 20, tick.Skip, nil)
	chat := s.Add(counter{"chat"}, 0, tick.Skip, nil)

	s.RunDue(49 * time.Millisecond)
	s.RunDue(50 * time.Millisecond)
	chat.Wake(false)
	next := s.RunDue(60 * time.Millisecond)
	fmt.Println("next at", next)
	s.RunDue(210 * time.Millisecond)
	// Output:
	// arena: tick 1 at 50ms, 0 skipped
	// chat: tick 1 at 50ms, 0 skipped
	// next at 100ms
	// arena: tick 4 at 200ms, 2 skipped
}
