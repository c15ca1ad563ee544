package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var clients = []string{"native", "socketio"}

// The page fills, and what one does to the demo shows in its figures.
func TestInABrowser(t *testing.T) {
	addr, _ := serve(t, "127.0.0.1:0", Ask{2, 3})
	chromium := browse(t)
	for _, client := range clients {
		t.Run(client, func(t *testing.T) {
			chromium.t = t
			p := chromium.open(addr, client, desktop)
			p.until("window.dashboard?.status === 'open' && dashboard.client === '" + client + "' && dashboard.rows > 4")
			p.figures(client)
			p.drawn()
			p.asks()
			p.disturbs()
			p.accessible()
			p.until("dashboard.states > 10 && /^one room, \\d+ bots?$/.test(document.querySelector('#swarm-note').textContent)")
			p.until("dashboard.span > 12")
			p.narrow(1280)
			p.shoot("dashboard-" + client + ".png")
			p.do("night falls", night.emulate())
			p.until("getComputedStyle(document.body).backgroundColor === 'rgb(14, 17, 22)'")
			p.until("dashboard.rows > 0")
			time.Sleep(time.Second) // a drawing of each chart
			p.drawn()
			p.shoot("dashboard-" + client + "-dark.png")
			p.points()
			p.quiet()
			p.do("go away", chromedp.Navigate("about:blank"))
		})
	}
}

// shown is the text that the page has for a figure.
func shown(name string) string {
	return fmt.Sprintf("document.querySelector('[data-figure=%s]').textContent", name)
}

// figures checks that every figure is known, is shown, and that those that must change do.
func (p *page) figures(client string) {
	p.t.Helper()
	for _, g := range figures {
		p.until(fmt.Sprintf("dashboard.value('%s') !== null && %s !== '–'", g.name, shown(g.name)))
	}
	p.until("dashboard.value('rooms') === 3 && " + shown("rooms") + " === '3'") // the board's own
	if client == "native" {
		p.until("dashboard.value('conns') === 7 && dashboard.value('sio') === 0")
	} else {
		p.until("dashboard.value('conns') === 6 && dashboard.value('sio') === 1")
	}
	p.until("dashboard.value('players') === 8") // this page is in two rooms
	p.until("dashboard.value('framesOut') > 80 && dashboard.value('framesIn') > 10 && dashboard.value('bytesOut') > 2000")
	for _, name := range []string{"framesOut", "heap", "late99"} {
		p.until(fmt.Sprintf("new Set(dashboard.column('%s')).size > 2", name))
	}
	before := eval[string](p, shown("heap"))
	p.until(shown("heap") + " !== '" + before + "'")
	p.until("document.querySelector('#uptime').textContent.endsWith(' s')")
}

// drawn fails the test if a chart has next to nothing on it.
func (p *page) drawn() {
	p.t.Helper()
	painted := eval[[]int](p, `[...document.querySelectorAll(".card canvas")].map((c) => {
		const copy = new OffscreenCanvas(c.width, c.height).getContext("2d", { willReadFrequently: true });
		copy.drawImage(c, 0, 0);
		const d = copy.getImageData(0, 0, c.width, c.height).data;
		let n = 0;
		for (let i = 3; i < d.length; i += 4) if (d[i] > 50) n++;
		return n;
	})`)
	if len(painted) != 12 {
		p.t.Errorf("there are %d charts", len(painted))
	}
	for i, n := range painted {
		if n < 20 {
			p.t.Errorf("chart %d has %d points painted", i, n)
		}
	}
}

// asks changes the demo by its buttons and sliders, and by somebody else's.
func (p *page) asks() {
	p.t.Helper()
	press := func(of, step string) {
		p.t.Helper()
		p.do("press", chromedp.Click(fmt.Sprintf("[data-of=%s] [data-step='%s']", of, step)))
	}
	press("Rooms", "1")
	press("Rooms", "1")
	p.until("dashboard.value('rooms') === 5 && document.querySelector('[data-of=Rooms] output').textContent === '4'")
	p.until("dashboard.value('players') === 4 * 3 + 2")
	press("Bots", "1")
	p.until("dashboard.value('players') === 4 * 4 + 2")
	eval[bool](p, `(() => { const r = document.querySelector("#bots"); r.value = 2; return r.dispatchEvent(new Event("input")); })()`)
	p.until("dashboard.value('players') === 4 * 2 + 2")
	press("Rooms", "-1")
	press("Rooms", "-1")
	press("Bots", "1")
	p.until("dashboard.value('rooms') === 3 && dashboard.value('players') === 2 * 3 + 2")
	p.until("new Set(dashboard.column('players')).size > 3")
}

// disturbs has things go wrong, and looks how that shows.
func (p *page) disturbs() {
	p.t.Helper()
	count := `Number(document.querySelector("[data-key='connection closed bad-payload']")?.dataset.n ?? 0)`
	before := eval[int](p, count)
	p.do("insult", chromedp.Click("[data-disturb=insult]"))
	p.until(fmt.Sprintf("%s === %d", count, before+1))
	p.until("document.querySelector('#counts table').checkVisibility() && document.querySelector('#none').hidden")
	p.do("hold", chromedp.Click("[data-disturb=hold]"))
	p.until("Math.min(...dashboard.column('ran').filter((v) => v !== null)) < 98 && dashboard.value('ran') > 98")
}

// points looks at a moment of the past.
func (p *page) points() {
	p.t.Helper()
	eval[bool](p, `(() => {
		const over = document.querySelector(".card .u-over"), box = over.getBoundingClientRect();
		const at = { clientX: box.right - 12, clientY: box.top + 30, bubbles: true };
		over.dispatchEvent(new MouseEvent("mouseenter", at));
		return over.dispatchEvent(new MouseEvent("mousemove", at));
	})()`)
	p.until("/^\\d+ s ago$/.test(document.querySelector('#moment').textContent)")
	eval[bool](p, `document.querySelector(".card .u-over").dispatchEvent(new MouseEvent("mouseleave", {}))`)
	p.until("document.querySelector('#moment').textContent.startsWith('The last ')")
}

// accessible checks what somebody needs who does not see the page.
func (p *page) accessible() {
	p.t.Helper()
	p.until(`[...document.querySelectorAll(".plot")].every((plot) => /last two minutes: .*\d/.test(plot.ariaLabel))`)
	if bare := eval[[]string](p, `[...document.querySelectorAll("button, input, a, [role=img]")]
		.filter((e) => !(e.ariaLabel || e.textContent.trim() || e.labels?.length)).map((e) => e.outerHTML)`); len(bare) > 0 {
		p.t.Errorf("these have no name: %q", bare)
	}
	if n := eval[int](p, `document.querySelectorAll("[role=status], [role=alert]").length`); n != 2 {
		p.t.Errorf("%d places speak up", n)
	}
	faint := eval[[]string](p, `(() => {
		const rgb = (c) => c.match(/[\d.]+/g).map(Number);
		const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
			.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
		const ground = (e) => { const c = rgb(getComputedStyle(e).backgroundColor); return c.length < 4 || c[3] === 1 ? c : ground(e.parentElement); };
		return [...document.querySelectorAll("h1, h1 span, h2, h3, p, dt, dd, label, output, th, td, figcaption, nav a")]
			.filter((e) => e.checkVisibility()).filter((e) => {
				const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
				return (a + 0.05) / (b + 0.05) < 4.5;
			}).map((e) => e.outerHTML.slice(0, 80));
	})()`)
	if len(faint) > 0 {
		p.t.Errorf("hard to read:\n%s", strings.Join(faint, "\n"))
	}
}

// narrow fails the test if the page is wider than its window.
func (p *page) narrow(width int) {
	p.t.Helper()
	if got := eval[[2]int](p, "[innerWidth, document.documentElement.scrollWidth]"); got != [2]int{width, width} {
		wide := eval[[]string](p, `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
			.map((e) => e.outerHTML.slice(0, 80)).slice(0, 5)`)
		p.t.Errorf("the window has %d, the page %d points; want %d; too wide are %q", got[0], got[1], width, wide)
	}
}

func TestOnAPhone(t *testing.T) {
	addr, _ := serve(t, "127.0.0.1:0", Ask{3, 5})
	p := browse(t).open(addr, "native", phone)
	p.until("window.dashboard?.status === 'open' && dashboard.value('players') === 17 && dashboard.states > 5")
	p.disturbs()
	p.until("dashboard.span > 12")
	p.narrow(360)
	p.accessible()
	p.drawn()
	p.shoot("dashboard-phone.png")
	small := eval[[]string](p, `[...document.querySelectorAll("button, nav a")].filter((e) => e.checkVisibility())
		.filter((e) => e.getBoundingClientRect().height < 28).map((e) => e.outerHTML)`)
	if len(small) > 0 {
		t.Errorf("too small for a finger: %q", small)
	}
	p.quiet()
}

// row is a row of the charts.
type row struct {
	At   int64 // Unix ms
	Hole bool  // nothing is known
}

func (p *page) rows() []row {
	p.t.Helper()
	return eval[[]row](p, `dashboard.times.map((t, i) => ({ At: Math.round(t * 1000), Hole: dashboard.column("goroutines")[i] === null }))`)
}

// whole fails the test if the page lacks a sample that a witness has, or has a hole where that has none.
func (p *page) whole(l *listener) {
	p.t.Helper()
	var heard []Change
	l.until("anything", func() bool { heard = slices.Clone(l.heard); return true })
	rows := p.rows()
	holes := 0
	for _, c := range heard {
		switch {
		case c.At <= rows[0].At || c.At > rows[len(rows)-1].At:
		case !slices.Contains(rows, row{At: c.At}):
			p.t.Errorf("the page has no sample of %d ms before its newest", rows[len(rows)-1].At-c.At)
		case c.At-c.Since > 2000: // an overloaded machine
			holes++
		}
	}
	for _, r := range rows {
		if r.Hole {
			holes--
		}
	}
	if holes < 0 {
		p.t.Errorf("the page has %d gaps too many", -holes)
	}
}

// TestALostConnection cuts the connection, which leaves no gap: what was missed comes later. Then it ends the server, of whose
// absence nobody knows anything: that is a gap.
func TestALostConnection(t *testing.T) {
	chromium := browse(t)
	for _, client := range clients {
		t.Run(client, func(t *testing.T) {
			chromium.t = t
			addr, stop := serve(t, "127.0.0.1:0", Ask{1, 2})
			witness := listen(t, addr)
			wire := cutter(t, addr)
			p := chromium.open(wire.addr, client, desktop)
			p.until("window.dashboard?.status === 'open' && dashboard.rows > 4 && dashboard.states > 3")
			lost := func() {
				t.Helper()
				p.until("dashboard.status === 'lost' && document.querySelector('#lost').checkVisibility()")
				p.until("document.querySelector('#status').textContent === 'reconnecting…' && document.querySelector('#why').textContent")
				p.until("[...document.querySelectorAll('#demo button, #demo input')].every((e) => e.disabled)")
			}
			back := func() {
				t.Helper()
				began := eval[float64](p, "dashboard.times.at(-1)")
				p.until(fmt.Sprintf("dashboard.status === 'open' && dashboard.times.at(-1) > %v + 1", began))
				p.until("!document.querySelector('#lost').checkVisibility() && document.querySelector('#status').textContent === 'live'")
				states := eval[int](p, "dashboard.states")
				p.until(fmt.Sprintf("dashboard.states > %d && !document.querySelector('#rooms').disabled", states))
			}
			wire.block(true)
			wire.cut()
			lost()
			time.Sleep(2 * time.Second)
			p.shoot("dashboard-" + client + "-lost.png")
			wire.block(false)
			p.do("try again", chromedp.Click("#retry"))
			back()
			p.whole(witness)
			_ = witness.room.Client().Close()

			started := eval[int64](p, "dashboard.started")
			stopped := time.Now().UnixMilli()
			stop()
			lost()
			time.Sleep(2 * time.Second)
			serve(t, addr, Ask{1, 2})
			back()
			p.until(fmt.Sprintf("dashboard.started > %d && dashboard.value('players') === 4", started))
			old, hole, young := 0, 0, 0
			started = eval[int64](p, "dashboard.started")
			for _, r := range p.rows() {
				switch {
				case r.Hole:
					hole++
				case r.At < stopped:
					old++
				case r.At > started:
					young++
				}
			}
			if refused := eval[string](p, "document.querySelector('#counts tbody').innerText"); strings.Contains(refused, "refused") {
				t.Errorf("the page asked for something that is not there:\n%s", refused)
			}
			if old < 5 || hole != 1 || young < 1 {
				t.Errorf("the charts have %d samples of the server before, %d gaps, %d samples of this one", old, hole, young)
			}
			p.shoot("dashboard-" + client + "-restarted.png")
			p.do("go away", chromedp.Navigate("about:blank"))
		})
	}
}
