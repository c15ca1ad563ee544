package main

import (
	"math"
	"testing"

	"github.com/volley-go/volley/room/roomtest"
)

// flying puts the ball anywhere, with any velocity, between paddles at the given heights, and lets one tick run.
func flying(t *testing.T, x, y, vx, vy float32, paddles [2]float32) (*bench, *roomtest.Player) {
	t.Helper()
	b := newBench(t, 1)
	ann := b.join("Ann")
	b.join("Ben")
	g := b.game
	g.table.Serve = 0
	g.X, g.Y, g.vx, g.vy = x, y, vx, vy
	g.Paddles, g.aims = paddles, paddles
	ann.Forget()
	b.step()
	b.fair()
	return b, ann
}

func TestBounces(t *testing.T) {
	const left, right = paddleX + radius, width - paddleX - radius
	middle := [2]float32{45, 45}
	for _, c := range []struct {
		what         string
		x, y, vx, vy float32
		wantVX       float32
		wantVY       float32
		bounce       int // -2: none
	}{
		{"nothing in its way", 80, 45, 90, 30, 90, 30, -2},
		{"upper wall", 80, radius + 0.1, 90, -60, 90, 60, -1},
		{"lower wall", 80, height - radius - 0.1, -90, 60, -90, -60, -1},
		{"along the upper wall", 80, radius, 90, 0, 90, 0, -2},
		{"left paddle's middle", left + 0.1, 45, -100, 0, 106, 0, 0},
		{"right paddle's middle", right - 0.1, 45, 100, 0, -106, 0, 1},
		{"left paddle's lower end", left + 0.1, 45 + reach + radius, -100, 0, 106, 0.8 * 106, 0},
		{"right paddle's upper end", right - 0.1, 45 - reach - radius, 100, 0, -106, -0.8 * 106, 1},
		{"half-way up the right paddle", right - 0.1, 45 - (reach+radius)/2, 100, 0, -106, -0.4 * 106, 1},
		{"beside the left paddle", left + 0.1, 45 + reach + radius + 0.1, -100, 0, -100, 0, -2},
		{"the fastest", right - 0.1, 45, fastest, 0, -fastest, 0, 1},
		{"almost the fastest", left + 0.1, 45, -fastest + 1, 0, fastest, 0, 0},
		{"away from the paddle", left, 45, 100, 0, 100, 0, -2},
		{"behind the paddle", left - 2, 45, -80, 0, -80, 0, -2},
	} {
		b, ann := flying(t, c.x, c.y, c.vx, c.vy, middle)
		got := -2
		if all := roomtest.All[int](ann, "bounce"); len(all) > 0 {
			got = all[0]
		}
		near := func(a, b float32) bool { return math.Abs(float64(a-b)) < 0.01 }
		if g := b.game; !near(g.vx, c.wantVX) || !near(g.vy, c.wantVY) || got != c.bounce {
			t.Errorf("%s: velocity %v, %v and bounce %d; want %v, %v and %d", c.what, g.vx, g.vy, got, c.wantVX, c.wantVY, c.bounce)
		}
	}
}

func TestABallIsMirroredAtAWall(t *testing.T) {
	const vy = 60.0 // one unit a tick
	for _, c := range []struct{ y, vy, want float32 }{
		{radius + 0.25, -vy, radius + 0.75},
		{height - radius - 0.25, vy, height - radius - 0.75},
	} {
		b, _ := flying(t, 80, c.y, 90, c.vy, [2]float32{45, 45})
		if got := b.game.Y; math.Abs(float64(got-c.want)) > 0.001 {
			t.Errorf("from %v the ball comes to %v; want %v", c.y, got, c.want)
		}
	}
}

func TestGoals(t *testing.T) {
	aside := [2]float32{reach, reach}
	for _, c := range []struct {
		what   string
		x, vx  float32
		scored [2]int
		next   float32 // the direction of the next serve: to who let it pass
	}{
		{"left", 0.5, -100, [2]int{0, 1}, -1},
		{"right", width - 0.5, 100, [2]int{1, 0}, 1},
	} {
		b, ann := flying(t, c.x, 70, c.vx, 0, aside)
		if got := tableOf(ann).Score; got != c.scored {
			t.Errorf("%s: the score is %v; want %v", c.what, got, c.scored)
		}
		if g := b.game; g.X != width/2 || g.vx != c.next*firstSpeed {
			t.Errorf("%s: the next serve is from %v with %v", c.what, g.X, g.vx)
		}
	}
}

func TestTheBallGetsFasterToALimit(t *testing.T) {
	b := newBench(t, 2)
	ann, ben := b.join("Ann"), b.join("Ben")
	before, hits := float32(firstSpeed), 0
	b.steps(60*rate, func() {
		b.fair()
		ann.Emit("aim", b.game.Y) // both return everything
		ben.Emit("aim", b.game.Y)
		if speed := b.game.vx * b.game.vx; speed > before*before+1 {
			before = float32(math.Sqrt(float64(speed)))
			hits++
		}
	})
	if before != fastest || hits < 10 {
		t.Errorf("after %d hits the speed is %v; want %v", hits, before, fastest)
	}
	if b.game.table.Score != [2]int{} {
		t.Errorf("somebody missed: %v", b.game.table.Score)
	}
}
