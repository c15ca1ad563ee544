package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestInABrowser(t *testing.T) {
	addr, _ := serve(t, "127.0.0.1:0")
	chromium := browse(t)

	ann := arriveAtOnce(chromium, addr)
	ben := chromium.open(addr, "Ben", desktop)
	ben.until("window.pong?.seat === 1")
	ann.until("pong.names.join() === 'Ann,Ben' && !pong.bots.includes(true)")
	for range 5 {
		ann.until("pong.phase === 'playing'")
		if tick, a, b := meet(ann, ben); a != b {
			t.Fatalf("tick %d: Ann sees %+v, Ben %+v", tick, a, b)
		}
	}
	cat := chromium.open(addr, "Cat", desktop)
	cat.until("window.pong?.seat === -1 && pong.frames > 2")
	cat.until("document.querySelector('#note').textContent.includes('you are watching')")
	ben.until("document.querySelector('#watching').textContent === 'watching: 1'")

	moveByKeys(ann, ben, cat)
	moveByMouse(ben, ann)

	ann.hold(kb.ArrowUp, true) // both into their corners, so that the ball passes
	ben.hold(kb.ArrowUp, true)
	ann.until("pong.score[0] + pong.score[1] > 0")
	ben.until("document.documentElement.dataset.score !== '0-0'")
	ann.hold(kb.ArrowUp, false)
	ben.hold(kb.ArrowUp, false)
	ann.until("pong.phase === 'playing' && Math.abs(pong.shown.x - 80) > 25")
	ann.shoot("pong.png")

	ben.do("go away", chromedp.Navigate("about:blank"))
	cat.until("pong.seat === 1 && pong.names.join() === 'Ann,Cat'")
	for _, p := range []*page{ann, ben, cat} {
		p.quiet()
	}
}

// arriveAtOnce lets Ann open the game and checks that she has a seat and something to see within five seconds.
func arriveAtOnce(chromium browser, addr string) *page {
	t := chromium.t
	t.Helper()
	began := time.Now()
	ann := chromium.open(addr, "Ann", desktop)
	ann.until("window.pong?.seat === 0 && pong.frames > 2")
	ready := time.Since(began)
	t.Logf("from opening a window to a court with a seat: %v", ready.Round(time.Millisecond))
	if ready > 5*time.Second {
		t.Errorf("it took %v to play; want at most 5 s", ready)
	}
	ann.drawn()
	ann.until("document.querySelector('#note').textContent.includes('waiting for a second player') || pong.bots[1]")
	return ann
}

// moveByKeys checks that the keys of seat 0 move its paddle as the server tells everyone, and that its own page, which does not
// wait for the server, ends up with the same.
func moveByKeys(own, other, watcher *page) {
	own.t.Helper()
	own.hold("w", true)
	other.until("pong.at(pong.tick).paddles[0] === 9") // all the way up
	own.until("pong.shown.paddles[0] === 9")
	own.hold("w", false)
	own.hold("s", true)
	watcher.until("pong.at(pong.tick).paddles[0] > 20")
	own.hold("s", false)
	rests := "pong.at(pong.tick - 30)?.paddles[0] === pong.at(pong.tick).paddles[0]"
	watcher.until(rests)
	own.until(rests)
	_, a, b := meet(own, watcher)
	if shown := eval[float64](own, "pong.shown.paddles[0]"); a.Paddles != b.Paddles || math.Abs(shown-a.Paddles[0]) > 0.1 {
		own.t.Errorf("the paddle rests at %v, is drawn at %v, and a watcher sees it at %v", a.Paddles[0], shown, b.Paddles[0])
	}
}

// moveByMouse checks that the middle of seat 1's paddle goes where the mouse is.
func moveByMouse(own, other *page) {
	own.t.Helper()
	const y = 500
	court := own.court()
	own.mouse(900, y-100)
	own.mouse(900, y)
	other.until(fmt.Sprintf("Math.abs(pong.at(pong.tick).paddles[1] - %v) < 0.1", (y-court.Y)/court.Height*height))
}

func TestAMatchOnAPhone(t *testing.T) {
	addr, _ := serve(t, "127.0.0.1:0")
	eve := browse(t).open(addr, "", phone)
	eve.until("window.pong?.seat === 0 && /^[A-Z][a-z]+ [A-Z][a-z]+$/.test(pong.names[0])")
	eve.until("pong.bots[1] && pong.frames > 2")
	if wide := eval[float64](eve, "document.querySelector('#court').clientWidth / innerWidth"); wide < 0.9 {
		t.Errorf("the court has %v of the width", wide)
	}

	court := eve.court()
	eve.touch(input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: court.X + 20, Y: court.Y + court.Height*0.8})
	eve.until("Math.abs(pong.at(pong.tick).paddles[0] - 72) < 1")
	eve.touch(input.DispatchTouchEventTypeTouchEnd)
	below := court.Y + court.Height + 300 // the thumb's place
	eve.touch(input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: 100, Y: below})
	eve.touch(input.DispatchTouchEventTypeTouchMove, &input.TouchPoint{X: 100, Y: below - court.Height/2})
	eve.until("pong.at(pong.tick).paddles[0] === 9")
	eve.touch(input.DispatchTouchEventTypeTouchEnd)

	eve.until("pong.phase === 'playing' && Math.abs(pong.shown.x - 80) > 25")
	eve.shoot("pong-phone.png")
	eve.until("pong.phase === 'over'") // in the corner one loses
	eve.until("document.querySelector('#banner').checkVisibility()")
	if title := eval[string](eve, "document.querySelector('#winner').textContent"); title != "Robo wins" {
		t.Errorf("the banner says %q", title)
	}
	if score := eval[string](eve, "document.querySelector('#score').textContent"); !strings.HasSuffix(score, ", Robo 7") {
		t.Errorf("the score is read out as %q", score)
	}
	eve.until("document.getAnimations().every((a) => a.playState === 'finished')")
	eve.shoot("pong-phone-over.png")
	eve.do("turn the phone", phone.turned().emulate())
	eve.until("innerWidth === 844 && document.querySelector('#rematch').getBoundingClientRect().bottom < 380")
	eve.shoot("pong-phone-wide.png")
	eve.do("use a big screen", desktop.emulate())
	eve.until("innerWidth === 1280 && document.querySelector('#court').clientWidth > 900")
	eve.shoot("pong-over.png")
	eve.do("rematch", chromedp.Click("#rematch"))
	eve.until("pong.phase !== 'over' && pong.score.join() === '0,0'")
	eve.quiet()
}

func TestOverlayNameAndComingBack(t *testing.T) {
	addr, stop := serve(t, "127.0.0.1:0")
	ann := browse(t).open(addr, "Ann", desktop)
	ann.until("window.pong?.seat === 0")

	ann.do("name", chromedp.Click(".side.left .name"))
	ann.do("type", chromedp.SendKeys(".name-field", "Wilma"+kb.Enter))
	ann.until("pong.names[0] === 'Wilma' && pong.seat === 0")
	if kept := eval[string](ann, "localStorage.getItem('pong.name')"); kept != "Wilma" {
		t.Errorf("the page remembers %q", kept)
	}
	if eval[bool](ann, "!document.querySelector('#stats').hidden") {
		t.Error("typing a name opened the overlay")
	}

	ann.hold("l", true)
	ann.hold("l", false)
	cell := func(i int) string {
		return fmt.Sprintf("document.querySelectorAll('#stats dd')[%d].textContent", i)
	}
	ann.until(cell(0) + ".endsWith(' ms')")
	ann.until("Number(" + cell(1) + ") > 0")
	ann.until("Number(" + cell(2) + ") > 30")
	ann.until("pong.phase === 'playing'")
	ann.shoot("pong-overlay.png")
	ann.quiet()

	stop()
	ann.until("document.documentElement.dataset.phase === 'lost' && document.querySelector('#lost').checkVisibility()")
	ann.until("document.querySelector('#again').textContent.includes('Trying again')")
	ann.until("document.getAnimations().every((a) => a.playState === 'finished')")
	ann.shoot("pong-lost.png")
	serve(t, addr)
	ann.until("document.documentElement.dataset.phase !== 'lost' && pong.seat === 0 && pong.names[0] === 'Wilma'")
}

// TestALostConnection cuts a player's connection. For a moment the page says so, then the same player has the same seat in the
// same match, whoever else is there.
func TestALostConnection(t *testing.T) {
	addr, _ := serve(t, "127.0.0.1:0")
	wire := cutter(t, addr)
	chromium := browse(t)
	ann := chromium.open(wire.addr, "Ann", desktop)
	ann.until("window.pong?.seat === 0")
	ben := chromium.open(addr, "Ben", desktop)
	ben.until("window.pong?.seat === 1")
	cat := chromium.open(addr, "Cat", desktop) // waits for a seat
	cat.until("window.pong?.seat === -1")
	ann.until("pong.phase === 'playing'")
	// Somebody has scored, so that a match that begins again would be seen.
	ann.hold(kb.ArrowUp, true)
	ben.hold(kb.ArrowUp, true)
	ann.until("pong.score[0] + pong.score[1] > 0")
	ann.hold(kb.ArrowUp, false)
	ben.hold(kb.ArrowUp, false)

	for _, long := range []bool{false, true} {
		eval[bool](ann, `(() => {
			window.phases = [];
			window.notes = [];
			const note = document.querySelector("#note");
			const look = () => phases.push(document.documentElement.dataset.phase + "/" + pong.seat);
			new MutationObserver(look).observe(document.documentElement, { attributeFilter: ["data-phase"] });
			new MutationObserver(() => notes.push(note.textContent)).observe(note, { childList: true });
			return true;
		})()`)
		score := eval[[2]int](ben, "pong.score")
		wire.block(true)
		wire.cut()
		ann.until("phases.includes('reconnecting/0') && notes.includes('reconnecting…')")
		ann.hold("s", true) // what one wants meanwhile is wanted when one is back
		if long {
			ann.until("document.documentElement.dataset.phase === 'lost' && document.querySelector('#lost').checkVisibility()")
			if title := eval[string](ann, "document.querySelector('#lost h1').textContent"); title != "Reconnecting…" {
				t.Errorf("the page says %q", title)
			}
			ann.shoot("pong-reconnecting.png")
			ben.until("document.querySelector('.side.left small').textContent === 'away'")
			ben.until("pong.at(pong.tick).paddles[0] < 75") // the bot plays for her
			ann.do("try again", chromedp.Click("#retry"))   // in vain
		}
		tick := eval[int](ben, "pong.tick")
		wire.block(false)
		ann.until(fmt.Sprintf("pong.tick > %d && !['reconnecting', 'lost'].includes(pong.phase)", tick))
		ann.until("!document.querySelector('#lost').checkVisibility() && document.querySelector('#note').textContent === ''")
		ben.until("pong.at(pong.tick).paddles[0] > 80") // all the way down
		ann.hold("s", false)
		if names := eval[string](ben, "pong.names.join()"); names != "Ann,Ben" {
			t.Errorf("the seats are %s", names)
		}
		seen := eval[[]string](ann, "phases")
		if slices.ContainsFunc(seen, func(s string) bool { return !strings.HasSuffix(s, "/0") }) {
			t.Errorf("Ann's page went through %q; want it to keep seat 0", seen)
		}
		if now := eval[[2]int](ann, "pong.score"); now[0] < score[0] || now[1] < score[1] {
			t.Errorf("the score was %v and is %v", score, now)
		}
		tick, a, b := meet(ann, ben)
		if a != b {
			t.Errorf("tick %d: Ann sees %+v, Ben %+v", tick, a, b)
		}
	}
	cat.until("pong.seat === -1")
	ben.quiet() // Ann's browser complains about connections that fail, as it should
	cat.quiet()
}

// drawn fails the test if the canvas has next to nothing on it.
func (p *page) drawn() {
	p.t.Helper()
	colours := eval[int](p, `(() => {
		const c = document.querySelector("#canvas");
		const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
		const seen = new Set();
		for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 50) seen.add((d[i] << 16) | (d[i + 1] << 8) | d[i + 2]);
		return seen.size;
	})()`)
	if colours < 3 {
		p.t.Errorf("%s's canvas has %d colours", p.name, colours)
	}
}

type box struct{ X, Y, Width, Height float64 }

// court is where the court is in the window.
func (p *page) court() box {
	p.t.Helper()
	return eval[box](p, "document.querySelector('#court').getBoundingClientRect()")
}
