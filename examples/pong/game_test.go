package main

import (
	"testing"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room/roomtest"
)

func TestTwoPlayersAndABallThatScores(t *testing.T) {
	b := newBench(t, 1)
	ann, ben := b.join("Ann"), b.join("Ben")
	if seatOf(ann) != 0 || seatOf(ben) != 1 {
		t.Fatalf("seats %d and %d; want 0 and 1", seatOf(ann), seatOf(ben))
	}
	if got := tableOf(ann); got.Names != [2]string{"Ann", "Ben"} || got.Score != [2]int{} || got.Winner != -1 || got.Watch != 0 {
		t.Fatalf("the table is %+v", got)
	}
	ann.Emit("aim", float32(0)) // both stand in the corners, so that the ball passes
	ben.Emit("aim", float32(0))
	b.until(5*time.Second, "a goal", func() bool { return tableOf(ann).Score != [2]int{} })
	scored := tableOf(ann)
	if scored.Score[0]+scored.Score[1] != 1 || scored != tableOf(ben) {
		t.Errorf("Ann sees %+v, Ben %+v", scored, tableOf(ben))
	}
	if s := stateOf(ann); s.X != width/2 || s.Y != height/2 {
		t.Errorf("after a goal the ball is at %v, %v", s.X, s.Y)
	}
}

func TestTheBallWaitsForTheServe(t *testing.T) {
	b := newBench(t, 1)
	ann := b.join("Ann")
	b.join("Ben")
	serve := tableOf(ann).Serve
	b.until(5*time.Second, "the serve", func() bool {
		if moved := stateOf(ann).X != width/2; moved != (b.game.room.Tick() >= serve) {
			t.Fatalf("tick %d, serve in %d: moved %v", b.game.room.Tick(), serve, moved)
		}
		return b.game.room.Tick() > serve
	})
}

func TestNobodyPlaysAlone(t *testing.T) {
	b := newBench(t, 1)
	ann := b.join("Ann")
	b.steps(int(botWaits.Seconds()*rate)-2, func() {
		if s := stateOf(ann); s.X != width/2 || s.Y != height/2 {
			t.Fatalf("the ball flies with one player: %+v", s)
		}
	})
	if got := tableOf(ann); got.Names != [2]string{"Ann", ""} || got.Bots != [2]bool{} {
		t.Errorf("the table is %+v", got)
	}
}

func TestABotComesAndMakesWayForAHuman(t *testing.T) {
	b := newBench(t, 1)
	ann := b.join("Ann")
	began, slack := b.Now(), 2*time.Second/rate
	b.until(5*time.Second, "a bot", func() bool { return tableOf(ann).Bots[1] })
	if waited := b.Now() - began; waited < botWaits-slack || waited > botWaits+slack {
		t.Errorf("the bot came after %v; want %v", waited, botWaits)
	}
	b.until(5*time.Second, "play with the bot", b.game.playing)
	ann.Emit("aim", float32(0))
	b.until(30*time.Second, "a goal", func() bool { return tableOf(ann).Score != [2]int{} })

	ben := b.join("Ben")
	if got := tableOf(ann); seatOf(ben) != 1 || got.Names[1] != "Ben" || got.Bots[1] || got.Score != [2]int{} {
		t.Errorf("Ben has seat %d, and the table is %+v", seatOf(ben), got)
	}
	b.Run(2 * botWaits)
	if got := tableOf(ann); got.Names[1] != "Ben" || got.Bots[1] {
		t.Errorf("a bot took a human's seat: %+v", got)
	}
}

func TestTheBotCountsFromTheLastLeave(t *testing.T) {
	b := newBench(t, 1)
	ann := b.join("Ann")
	b.Run(2 * time.Second)
	ben := b.join("Ben")
	b.Run(500 * time.Millisecond)
	ben.Leave()
	b.Run(2500 * time.Millisecond) // five and a half seconds after Ann came, less than three after Ben went
	if got := tableOf(ann); got.Names[1] != "" {
		t.Fatalf("somebody sits there too early: %+v", got)
	}
	b.Run(time.Second)
	if got := tableOf(ann); !got.Bots[1] {
		t.Errorf("no bot came: %+v", got)
	}
}

func TestWatchersSucceedInOrder(t *testing.T) {
	b := newBench(t, 1)
	ann, ben, cat, dan := b.join("Ann"), b.join("Ben"), b.join("Cat"), b.join("Dan")
	if seatOf(cat) != -1 || seatOf(dan) != -1 || tableOf(dan).Watch != 2 {
		t.Fatalf("seats %d and %d, %d watching", seatOf(cat), seatOf(dan), tableOf(dan).Watch)
	}
	cat.Emit("aim", float32(0))
	b.Run(time.Second)
	if s := stateOf(cat); s.Paddles != [2]float32{height / 2, height / 2} {
		t.Errorf("a watcher moved a paddle: %+v", s)
	}
	ben.Emit("aim", float32(0))
	b.Run(time.Second)
	ben.Leave()
	b.step()
	if got := tableOf(ann); seatOf(cat) != 1 || got.Names != [2]string{"Ann", "Cat"} || got.Watch != 1 {
		t.Fatalf("Cat has seat %d, and the table is %+v", seatOf(cat), got)
	}
	b.Run(time.Second)
	if y := stateOf(cat).Paddles[1]; y != height/2 {
		t.Errorf("Cat's paddle is at %v, where Ben wanted it; want it in the middle", y)
	}
	ann.Leave()
	cat.Leave()
	b.step()
	if got := tableOf(dan); seatOf(dan) != 0 || got.Names != [2]string{"Dan", ""} || got.Watch != 0 {
		t.Errorf("Dan has seat %d, and the table is %+v", seatOf(dan), got)
	}
}

func TestAimsAreClamped(t *testing.T) {
	for _, c := range []struct{ aim, want float32 }{
		{-1e30, reach}, {0, reach}, {reach, reach}, {40, 40}, {height, height - reach}, {1e30, height - reach},
	} {
		b := newBench(t, 1)
		ann := b.join("Ann")
		ann.Emit("aim", c.aim)
		ann.Forget()
		b.Run(time.Second)
		before := float32(height / 2)
		for _, s := range roomtest.All[State](ann, "state") {
			if moved := s.Paddles[0] - before; max(moved, -moved) > paddleSpeed*1.001/rate {
				t.Fatalf("aim %v: the paddle jumped by %v", c.aim, moved)
			}
			before = s.Paddles[0]
		}
		if before != c.want {
			t.Errorf("aim %v: the paddle ends at %v; want %v", c.aim, before, c.want)
		}
	}
}

func TestABadAimEndsItsSenderAlone(t *testing.T) {
	b := newBench(t, 1)
	ann, eve := b.join("Ann"), b.join("Eve")
	eve.Emit("aim", "up")
	b.step()
	if eve.Failed == nil || eve.Failed.Code != codec.BadPayload || ann.Failed != nil {
		t.Errorf("Eve: %v, Ann: %v", eve.Failed, ann.Failed)
	}
	if got := tableOf(ann).Names; got != [2]string{"Ann", ""} {
		t.Errorf("the names are %q", got)
	}
}

func TestWinnerAtSevenAndRematch(t *testing.T) {
	b := newBench(t, 1)
	ann, ben, cat := b.join("Ann"), b.join("Ben"), b.join("Cat")
	ann.Emit("aim", float32(0)) // Ann stands aside; Ben returns every ball
	goals := 0
	b.until(time.Minute, "the end", func() bool {
		now := tableOf(ann)
		if now.Score[1] < goals {
			t.Fatalf("the score went from %d to %d", goals, now.Score[1])
		}
		if goals = now.Score[1]; now.Winner < 0 {
			ann.Emit("rematch", true) // too early: nothing to repeat
			ben.Emit("aim", b.game.Y)
		}
		return now.Winner >= 0
	})
	over := tableOf(cat)
	if over.Winner != 1 || over.Score != [2]int{0, 7} {
		t.Fatalf("the table is %+v", over)
	}
	cat.Emit("rematch", true) // a watcher has no say
	b.Run(5 * time.Second)
	if got := tableOf(cat); got != over {
		t.Fatalf("after the match the table went from %+v to %+v", over, got)
	}
	ben.Emit("rematch", true)
	b.step()
	if got := tableOf(cat); got.Winner != -1 || got.Score != [2]int{} || got.Names != over.Names {
		t.Fatalf("after the rematch was asked for the table is %+v", got)
	}
	b.until(5*time.Second, "the next serve", b.game.playing)
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Ann", "Ann"}, {"", "Guest"}, {" \t\n ", "Guest"}, {"  Ann \n of  Oz ", "Ann of Oz"},
		{"ABCDEFGHIJKLMNO", "ABCDEFGHIJKL"}, {"ääääääääääääää", "ääääääääääää"}, {"A\xffB", "AB"},
		{"ABCDEFGHIJK LMN", "ABCDEFGHIJK"},
	} {
		if got := cleanName(c.in); got != c.want {
			t.Errorf("cleanName(%q) is %q; want %q", c.in, got, c.want)
		}
	}
}

func TestOptionsThatDoNotFitAreRefused(t *testing.T) {
	b := newBench(t, 1)
	if p := b.TryJoin(codec.JoinOrCreate, "pong", map[string]int{"Name": 7}, nil); p.Left == nil || p.Left.Code != codec.BadPayload {
		t.Errorf("a name of 7: %v; want %v", p.Left, codec.BadPayload)
	}
	if p := b.TryJoin(codec.JoinOrCreate, "pong", nil, nil); p.Left != nil || tableOf(p).Names[0] != "Guest" {
		t.Errorf("without options: %v", p.Left)
	}
}

func TestEveryoneSeesTheSame(t *testing.T) {
	b := newBench(t, 3)
	players := []*roomtest.Player{b.join("Ann"), b.join("Ben"), b.join("Cat")}
	for _, p := range players {
		p.Forget()
	}
	b.Run(20 * time.Second)
	want := roomtest.All[State](players[0], "state")
	for _, p := range players[1:] {
		got := roomtest.All[State](p, "state")
		if len(got) != len(want) || len(got) < 19*rate {
			t.Fatalf("%d states; another has %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("state %d is %+v and %+v", i, got[i], want[i])
			}
		}
	}
}
