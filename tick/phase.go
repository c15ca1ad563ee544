package tick

import "time"

const (
	// crowd is how many tasks of one rate run together before there are phases between the phases.
	crowd = 20
	// finest is how close phases may be: two slots of the wheel.
	finest = 2 * slot
)

// phasing spreads the tasks of one rate over phases. There are few, Config.Gather apart, as long as there are few tasks, so that
// whoever drives the ticks wakes up seldom. A driver with many tasks wakes up often enough as it is, and the last task of a phase
// would wait for all the others: once every phase has its crowd, phases are opened half-way between, and so on down to finest.
type phasing struct {
	step time.Duration // between the finest phases
	fold int           // how many of them make one of the widest
	live []int32       // tasks, by finest phase
}

// newPhasing is for tasks of a rate; wide is how far apart phases are at first.
func newPhasing(rate int, wide time.Duration) *phasing {
	p := &phasing{step: wide, fold: 1}
	for p.step/2 >= finest {
		p.step /= 2
		p.fold *= 2
	}
	p.live = make([]int32, phases(rate, wide)*p.fold)
	return p
}

// enter takes a place for a task: the emptiest of the phases that are open.
func (p *phasing) enter() (place int) {
	for apart := p.fold; apart > 0; apart /= 2 {
		place = 0
		for i := 0; i < len(p.live); i += apart {
			if p.live[i] < p.live[place] {
				place = i
			}
		}
		if p.live[place] < crowd {
			break
		}
	}
	p.live[place]++
	return place
}

// leave gives a place back.
func (p *phasing) leave(place int) { p.live[place]-- }

// at is when, after the beginning of a period, the tasks of a place are due.
func (p *phasing) at(place int) time.Duration { return time.Duration(place) * p.step }
