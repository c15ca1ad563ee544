package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const typingOf = "document.querySelector('#typing').textContent"

func TestInABrowser(t *testing.T) {
	p, _ := serve(t, "127.0.0.1:0")
	addr := p.srv.Addr().String()
	chromium := browse(t)
	ann, ben := chromium.open(addr, native, "Ann"), chromium.open(addr, socketIO, "Ben")
	for _, w := range []*page{ann, ben} {
		w.enter("lobby")
		w.sees("#members", "Ann")
		w.sees("#members", "Ben")
	}
	ann.say("Hello, is anybody here?")
	ben.sees(".message .text", "Hello, is anybody here?")
	ben.say("Yes: by Socket.IO. <b>Hi</b> <img src=x onerror=document.body.remove()>")
	ann.sees(".message .text", "<b>Hi</b> <img src=x onerror=document.body.remove()>")
	ben.say("@Ann have a look at https://socket.io/docs/v4/.")
	ann.sees(".message.hit mark", "@Ann")
	if href := eval[string](ann, "document.querySelector('.message a').href"); href != "https://socket.io/docs/v4/" {
		t.Errorf("the link goes to %s", href)
	}
	ben.sees(".message.mine .text", "@Ann have a look")

	ben.write("I am")
	ann.until(typingOf + " === 'Ben is typing…'")
	ann.write("So am I")
	ben.until(typingOf + " === 'Ann is typing…'")
	ann.look(1280, 760, true)
	ann.shoot("chat-native-dark.png")
	ben.say(" typing")
	ann.until(typingOf + " === ''")
	ann.do("clear", chromedp.SendKeys("#text", strings.Repeat("\b", len("So am I"))))
	ben.until(typingOf + " === ''")

	cat := chromium.open(addr, socketIO, "Cat")
	cat.enter("lobby")
	cat.sees(".message .text", "I am typing")
	if got, want := cat.texts(), ann.texts(); !slices.Equal(got, want) {
		t.Errorf("Cat finds %q; Ann has %q", got, want)
	}
	ann.sees(".line", "Cat joined")
	ben.shoot("chat-socketio.png")
	cat.close()
	for _, w := range []*page{ann, ben} {
		w.sees(".line", "Cat left")
		w.until("!document.querySelector('#members').textContent.includes('Cat')")
		w.quiet()
	}
	cat.quiet()
}

func TestRooms(t *testing.T) {
	p, _ := serve(t, "127.0.0.1:0")
	addr := p.srv.Addr().String()
	chromium := browse(t)
	ann, ben := chromium.open(addr, socketIO, "Ann"), chromium.open(addr, native, "Ben")
	ann.enter("lobby")
	ben.enter("lobby")
	ann.room("games")
	ben.room("games")
	ann.sees("#members", "Ben")
	ben.room("lobby")
	ben.say("this is for the lobby")
	ann.until("document.querySelector('[data-room=lobby] .badge')?.textContent === '1 unread'")
	ann.until("document.title === '(1) #games · Chat'")
	ann.say("and this for the games")
	ben.until("document.querySelector('[data-room=games] .badge')?.textContent === '1 unread'")
	ben.until("document.querySelector('[data-room=games] .count').textContent === '2 members'")
	ann.shoot("chat-unread.png")
	ann.room("lobby")
	ann.sees(".new", "New")
	ann.sees(".text", "this is for the lobby")
	ann.until("!document.querySelector('.badge:not([hidden])')")

	ann.do("leave", chromedp.Click("#leave"))
	ben.room("games")
	ann.until("document.querySelector('#title').textContent === '#games'")
	ann.say("nobody but us")
	ben.sees(".text", "nobody but us")
	if got := eval[string](ben, "document.querySelector('#log').innerText"); strings.Contains(got, "for the lobby") {
		t.Errorf("the games have what was said in the lobby:\n%s", got)
	}
	ann.quiet()
	ben.quiet()
}

func TestNames(t *testing.T) {
	p, _ := serve(t, "127.0.0.1:0")
	addr := p.srv.Addr().String()
	chromium := browse(t)
	ann := chromium.open(addr, native, "Ann")
	ann.enter("lobby")
	other := chromium.open(addr, socketIO, "ANN")
	other.sees("#entry-why", "Ann is here already")
	other.shoot("chat-name.png")
	other.do("another name", chromedp.SetValue("#entry-name", "  Anna   Lee "), chromedp.Click("#entry .main"))
	other.enter("lobby")
	ann.sees("#members", "Anna Lee")

	other.do("ask for a new name", chromedp.Click("#name"))
	other.do("take Ann's", chromedp.SetValue("#entry-name", "ann"), chromedp.Click("#entry .main"))
	other.sees("#entry-why", "Ann is here already")
	other.do("take another", chromedp.SetValue("#entry-name", "Zoe"), chromedp.Click("#entry .main"))
	ann.sees(".line", "Anna Lee is now Zoe")
	other.until("document.querySelector('#name').textContent.startsWith('Zoe') && !document.querySelector('dialog[open]')")

	for _, w := range []*page{ann, other} { // they keep their names, and nobody is told
		w.do("reload", chromedp.Navigate(eval[string](w, "location.origin + location.pathname")))
		w.enter("lobby")
	}
	ann.sees("#members", "Zoe")
	other.sees("#members", "Ann")
	first := chromium.open(addr, native, "")
	first.sees("#entry-title", "What should we call you?")
	first.do("a name", chromedp.SendKeys("#entry-name", "Max\r"))
	first.enter("lobby")
	ann.quiet() // the other's browser complains that it was on its way from polling to WebSocket
	first.quiet()
}

// A window with another one's token is the same person: the other one is out until it comes back.
func TestTwoWindows(t *testing.T) {
	for path, kind := range map[string]string{native: "volley", socketIO: "socket.io"} {
		p, stop := serve(t, "127.0.0.1:0")
		addr := p.srv.Addr().String()
		chromium := browse(t)
		first, second := chromium.open(addr, path, "Ann"), chromium.open(addr, path, "Bea")
		first.enter("lobby")
		second.enter("lobby")
		key := quoted("chat.token." + kind)
		token := eval[string](first, "sessionStorage.getItem("+key+")")
		eval[any](second, fmt.Sprintf("sessionStorage.setItem(%s, %s)", key, quoted(token)))
		second.do("reload", chromedp.Navigate("http://"+addr+path+"?name=Ann"))
		second.enter("lobby")
		first.sees("#notice", "you are here in another window")
		first.say("not sent yet")
		first.sees(".pending", "not sent yet")
		first.do("come back", chromedp.Click("#notice button"))
		second.sees("#notice", "you are here in another window")
		first.until("!document.querySelector('.pending') && !document.querySelector('#notice').textContent")
		if got := first.texts(); !slices.Equal(got, []string{"not sent yet"}) {
			t.Errorf("%s: %q", kind, got)
		}
		stop()
	}
}

// Who reads what was said before is not carried away by what is said now.
func TestReadingBack(t *testing.T) {
	p, _ := serve(t, "127.0.0.1:0")
	chromium := browse(t)
	ann := chromium.open(p.srv.Addr().String(), native, "Ann")
	ben := chromium.open(p.srv.Addr().String(), socketIO, "Ben")
	ann.enter("lobby")
	ben.enter("lobby")
	for i := range burst - 5 {
		ben.do("say", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
			"document.querySelector('#text').value = '%d.\\n\\nLong'; document.querySelector('#composer').requestSubmit()", i)))
		ben.until("!document.querySelector('.pending')")
	}
	ann.sees(".text", fmt.Sprintf("%d.", burst-6))
	atEnd := "((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 5)(document.querySelector('#log'))"
	ann.until(atEnd)
	ann.do("scroll up", chromedp.Evaluate[chromedp.Void]("document.querySelector('#log').scrollTop = 0, undefined"))
	ann.until("!" + atEnd)
	ben.say("news")
	ann.sees(".text", "news")
	ann.until("!document.querySelector('#newest').hidden && document.title.startsWith('(1)')")
	if top := eval[float64](ann, "document.querySelector('#log').scrollTop"); top != 0 {
		t.Errorf("the reader was moved to %v", top)
	}
	ann.shoot("chat-reading.png")
	ann.do("go there", chromedp.Click("#newest"))
	ann.until("document.querySelector('#newest').hidden && !document.title.startsWith('(') && " + atEnd)
	ann.quiet()
	ben.quiet()
}

// Messages that are written without a connection arrive when it is back, once and in order, and what was said meanwhile as well.
func TestACutConnection(t *testing.T) {
	for _, path := range []string{native, socketIO} {
		t.Run(path, func(t *testing.T) {
			p, _ := serve(t, "127.0.0.1:0")
			wire := cutter(t, p.srv.Addr().String())
			chromium := browse(t)
			ann, ben := chromium.open(wire.addr, path, "Ann"), chromium.open(p.srv.Addr().String(), native, "Ben")
			ann.enter("lobby")
			ben.enter("lobby")
			var want []string
			say := func(w *page, text string) {
				w.say(text)
				want = append(want, text)
			}
			say(ann, "before")
			ben.sees(".text", "before")
			for round := range 3 {
				wire.block(true)
				wire.cut()
				ben.sees("#members .away", "Ann")
				ann.until("document.documentElement.dataset.link === 'lost'")
				say(ben, fmt.Sprintf("%d: Ann is away", round))
				ben.until("!document.querySelector('.pending')")
				for i := range 3 {
					say(ann, fmt.Sprintf("%d: Ann says %d", round, i))
				}
				ann.until("document.querySelectorAll('.pending').length === 3")
				ann.sees("#notice", "The connection is lost")
				if round == 0 {
					ann.shoot("chat-lost" + strings.ReplaceAll(path, "/", "-") + ".png")
				}
				wire.block(false)
				ann.until("document.querySelectorAll('.text').length > 1 && !document.querySelector('.pending')")
				ben.sees(".text", fmt.Sprintf("%d: Ann says 2", round))
				ben.until("!document.querySelector('#members .away')")
			}
			time.Sleep(200 * time.Millisecond) // for what comes twice
			for _, w := range []*page{ann, ben} {
				if got := w.texts(); !slices.Equal(got, want) {
					t.Errorf("%s has %q; want %q", w.name, got, want)
				}
			}
			ben.quiet() // Ann's browser complains about connections that fail, as it should
			if said := eval[string](ben, "document.querySelector('#log').innerText"); strings.Contains(said, "left") {
				t.Errorf("somebody has left:\n%s", said)
			}
		})
	}
}

// Connections are cut while messages are on their way: each of them arrives once, and both pages have them in the same order.
func TestManyCuts(t *testing.T) {
	p, _ := serve(t, "127.0.0.1:0")
	chromium := browse(t)
	var pages []*page
	var wires []*wire
	for _, path := range []string{native, socketIO} {
		w := cutter(t, p.srv.Addr().String())
		wires = append(wires, w)
		pages = append(pages, chromium.open(w.addr, path, string(rune('A'+len(pages)))))
	}
	for _, w := range pages {
		w.enter("lobby")
		w.until("document.querySelectorAll('#members li').length === 2")
	}
	const each = burst - 2
	for _, w := range pages {
		eval[int](w, fmt.Sprintf(`(() => {
			let n = 0;
			const talk = setInterval(() => {
				if (document.querySelectorAll(".pending").length > 15) return;
				document.querySelector("#text").value = %s + ++n;
				document.querySelector("#composer").requestSubmit();
				if (n === %d) clearInterval(talk);
			}, 130);
			return 0;
		})()`, quoted(w.name), each))
	}
	for range 12 {
		time.Sleep(time.Duration(100+rand.IntN(400)) * time.Millisecond)
		wire := wires[rand.IntN(len(wires))]
		wire.block(true)
		wire.cut()
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		wire.block(false)
	}
	for _, w := range pages {
		w.until(fmt.Sprintf("document.querySelectorAll('.message').length >= %d && !document.querySelector('.pending')", 2*each))
	}
	got := pages[0].texts()
	if other := pages[1].texts(); !slices.Equal(got, other) {
		t.Errorf("A has %q; B has %q", got, other)
	}
	for _, w := range pages {
		var own, want []string
		for i := range each {
			want = append(want, fmt.Sprint(w.name, i+1))
		}
		for _, text := range got {
			if strings.HasPrefix(text, w.name) {
				own = append(own, text)
			}
		}
		if !slices.Equal(own, want) {
			t.Errorf("%s has said %q; want %q", w.name, own, want)
		}
	}
}

// The server is started anew: the pages find their rooms again, and say what they could not.
func TestAServerThatGoesAway(t *testing.T) {
	p, stop := serve(t, "127.0.0.1:0")
	addr := p.srv.Addr().String()
	chromium := browse(t)
	ann, ben := chromium.open(addr, native, "Ann"), chromium.open(addr, socketIO, "Ben")
	ann.enter("lobby")
	ben.enter("lobby")
	ann.room("help")
	ben.room("help")
	ann.sees("#members", "Ben")
	stop()
	for _, w := range []*page{ann, ben} {
		w.until("document.documentElement.dataset.link === 'lost'")
		w.say("said by " + w.name + " meanwhile")
		w.sees(".pending", "meanwhile")
	}
	serve(t, addr)
	for _, w := range []*page{ann, ben} {
		w.until("document.documentElement.dataset.link === 'open' && !document.querySelector('.pending')")
		w.sees(".text", "said by Ann meanwhile")
		w.sees(".text", "said by Ben meanwhile")
		w.sees("#members", "Ann")
		w.sees("#members", "Ben")
	}
}

func TestOnAPhone(t *testing.T) {
	p, _ := serve(t, "127.0.0.1:0")
	addr := p.srv.Addr().String()
	chromium := browse(t)
	ann, ben := chromium.open(addr, native, "Ann"), chromium.open(addr, socketIO, "Benedict%20Cumberland")
	ann.enter("lobby")
	ben.enter("lobby")
	ann.room("games")
	ann.room("lobby")
	ben.look(360, 640, true)
	ann.look(360, 640, false)
	for i := range 4 {
		ben.say(fmt.Sprintf("%d. "+strings.Repeat("a longer message ", 4), i))
	}
	ben.say(strings.Repeat("wide", 30))
	ann.sees(".text", "widewide")
	ann.say("That is a lot of words for such a small screen, @Benedict Cumberland.")
	ben.sees(".hit", "such a small screen")
	narrow := func(w *page) {
		t.Helper()
		if width := eval[int](w, "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth, "+
			"...[...document.querySelectorAll('#log, main, aside.open')].map((e) => e.scrollWidth))"); width > 360 {
			t.Errorf("%s scrolls sideways: %d pixels", w.name, width)
		}
	}
	narrow(ann)
	narrow(ben)
	ann.shoot("chat-phone.png")
	ben.shoot("chat-phone-dark.png")
	ben.do("rooms", chromedp.Click("#show-rooms"))
	ben.until("document.querySelector('#rooms-panel').matches('.open') && document.activeElement.closest('#rooms-panel')")
	time.Sleep(300 * time.Millisecond) // it slides
	narrow(ben)
	ben.shoot("chat-phone-rooms.png")
	ben.do("close by keyboard", chromedp.KeyEvent("\x1b"))
	ben.until("document.activeElement.id === 'show-rooms' && !document.querySelector('aside.open')")
	ann.do("members", chromedp.Click("#show-members"))
	time.Sleep(300 * time.Millisecond)
	narrow(ann)
	ann.shoot("chat-phone-members.png")
	ann.quiet()
	ben.quiet()
}
