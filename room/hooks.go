package room

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/volley-go/volley/tick"
)

// The optional methods of a game.
type (
	ticker interface{ Tick(t tick.Tick) }
	opener interface{ Open() error }
	closer interface{ Close() }

	drainer interface{ Drain(deadline time.Time) }

	dropper  interface{ Dropped(c *Client) }
	resumer  interface{ Resumed(c *Client) }
	resyncer interface{ Resync(c *Client) }
)

// hooks says which optional methods a game has.
type hooks struct{ tick, open, close, drain, dropped, resumed, resync bool }

// hookTypes has each hook's interface by the name of its method.
var hookTypes = map[string]reflect.Type{
	"Tick":  reflect.TypeFor[ticker](),
	"Open":  reflect.TypeFor[opener](),
	"Close": reflect.TypeFor[closer](),
	"Drain": reflect.TypeFor[drainer](),

	"Dropped": reflect.TypeFor[dropper](),
	"Resumed": reflect.TypeFor[resumer](),
	"Resync":  reflect.TypeFor[resyncer](),
}

// findHooks looks for the hooks of a game. A method that has a hook's name and not its signature, or its signature and
// almost its name, is a mistake that would otherwise show as silence.
func findHooks(game reflect.Type) (hooks, error) {
	for i := range game.NumMethod() {
		m := game.Method(i)
		for name, hook := range hookTypes {
			if m.Name == name && !game.Implements(hook) {
				return hooks{}, fmt.Errorf("method %s must be %s", name, hook.Method(0).Type)
			}
			if m.Name != name && almost(m.Name, name) && sameSignature(game, m, hook) {
				return hooks{}, fmt.Errorf("method %s looks like a misspelt %s; rename one or the other", m.Name, name)
			}
		}
	}
	if game.Kind() != reflect.Pointer && game.Kind() != reflect.Interface {
		for name, hook := range hookTypes {
			if !game.Implements(hook) && reflect.PointerTo(game).Implements(hook) {
				return hooks{}, fmt.Errorf("method %s has a pointer receiver, but the game is a value; make newGame return a pointer", name)
			}
		}
	}
	return hooks{
		tick:  game.Implements(hookTypes["Tick"]),
		open:  game.Implements(hookTypes["Open"]),
		close: game.Implements(hookTypes["Close"]),
		drain: game.Implements(hookTypes["Drain"]),

		dropped: game.Implements(hookTypes["Dropped"]),
		resumed: game.Implements(hookTypes["Resumed"]),
		resync:  game.Implements(hookTypes["Resync"]),
	}, nil
}

// almost reports whether two names that begin alike differ in case alone, or in one letter more, less or other.
func almost(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if a == b || a[0] != b[0] {
		return a == b
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 0:
		return a[i+1:] == b[i+1:]
	case 1:
		return a[i:] == b[i+1:]
	}
	return false
}

// sameSignature reports whether method m of game, without its receiver, is what the hook's only method is.
func sameSignature(game reflect.Type, m reflect.Method, hook reflect.Type) bool {
	want := hook.Method(0).Type
	skip := 1 // the receiver of a concrete type's method
	if game.Kind() == reflect.Interface {
		skip = 0
	}
	if m.Type.NumIn()-skip != want.NumIn() || m.Type.NumOut() != want.NumOut() {
		return false
	}
	for i := range want.NumIn() {
		if m.Type.In(i+skip) != want.In(i) {
			return false
		}
	}
	for i := range want.NumOut() {
		if m.Type.Out(i) != want.Out(i) {
			return false
		}
	}
	return true
}
