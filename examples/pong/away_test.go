package main

import (
	"testing"
	"time"

	"github.com/volley-go/volley/room/roomtest"
)

func TestTheBotPlaysForWhoIsAway(t *testing.T) {
	b := newBench(t, 1)
	ann, ben := b.join("Ann"), b.join("Ben")
	b.until(5*time.Second, "play", b.game.playing)
	ben.Emit("aim", float32(0))
	b.Run(time.Second)
	before := tableOf(ann)
	ben.Cut(3)
	b.Run(2 * time.Second)
	got := tableOf(ann)
	if !got.Away[1] || got.Names[1] != "Ben" || got.Serve < before.Serve {
		t.Errorf("while Ben is away the table is %+v", got)
	}
	if y := stateOf(ann).Paddles[1]; y == reach {
		t.Error("nobody moves Ben's paddle")
	}
	ben.Forget()
	ben.Return()
	b.Run(100 * time.Millisecond)
	if got := tableOf(ben); got.Away[1] || got != tableOf(ann) || ben.Resyncs > 0 {
		t.Errorf("back again, the table is %+v", got)
	}
	ben.Emit("aim", float32(0))
	b.Run(time.Second)
	if y := stateOf(ann).Paddles[1]; y != reach {
		t.Errorf("Ben's paddle is at %v, and he wants it in the corner", y)
	}
}

func TestWhoStaysAwayLosesTheSeat(t *testing.T) {
	b := newBench(t, 1)
	ann, _, cat := b.join("Ann"), b.join("Ben"), b.join("Cat")
	ann.Cut(0)
	b.Run(grace - time.Second)
	if got := tableOf(cat); got.Names[0] != "Ann" || !got.Away[0] {
		t.Errorf("the table is %+v", got)
	}
	b.Run(2 * time.Second)
	if got := tableOf(cat); got.Names[0] != "Cat" || got.Away[0] || seatOf(cat) != 0 {
		t.Errorf("the table is %+v", got)
	}
}

func TestWhoWasTooSlowIsToldAnew(t *testing.T) {
	b := newBench(t, 1)
	ann, cat := b.join("Ann"), b.join("Cat")
	cat.Stall(1)
	b.Run(10 * time.Minute)
	ann.Emit("aim", float32(0))
	cat.Forget()
	cat.Stall(0)
	b.Run(time.Second)
	if cat.Left != nil || cat.Resyncs != 1 {
		t.Fatalf("left: %v, %d fresh beginnings", cat.Left, cat.Resyncs)
	}
	if got := roomtest.All[Table](cat, "table"); len(got) == 0 || got[len(got)-1] != b.game.table || seatOf(cat) != 1 {
		t.Errorf("told: seat %d, tables %+v; the table is %+v", seatOf(cat), got, b.game.table)
	}
}
