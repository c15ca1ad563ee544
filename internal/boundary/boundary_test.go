package boundary

import (
	"encoding/json"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// core is what a user's game or a bot links: each line of it is in every program.
var core = []string{"codec", "tick", "room", "netio", "", "client"}

const (
	nbio   = "github.com/lesismal/nbio/..."
	llib   = "github.com/lesismal/llib/..."
	others = "other modules" // stands for every package of every other module

	oneWay     = "imports point one way: codec, tick <- room <- volley -> netio -> codec"
	noSockets  = "it is tested without sockets and runs over anything that has room.Link's methods; sockets are netio's"
	otherSide  = "a client is the other side of the wire: it shares the bytes (codec) and the typed names (room) and no more"
	forTests   = "it is for tests, and would be linked into every user's program"
	onlyNetio  = "only netio imports nbio, so that the poller can be replaced within one package"
	asUsersDo  = "an example shows what a user can write, and a user cannot import it or has no need to"
	noServices = "a library brings in no service of its own; a user's main names what it wants"
)

// rules are the imports, direct or indirect, that a package must not have. Names within this module are short.
var rules = []struct {
	of      string
	mustNot []string // packages; a trailing /... takes in what is below
	why     string
}{
	{"codec", []string{full("room") + "/...", full("tick"), full("netio"), full(""), full("client")}, oneWay},
	{"codec", []string{"net/...", nbio, llib, "os/exec", "os/signal", "context"},
		"the wire is pure functions over bytes: no I/O, nothing to wait for or to cancel"},

	{"tick", []string{others}, "time needs the standard library and nothing else, so that any loop can drive it"},
	{"tick", []string{full("codec"), full("room") + "/...", full("netio"), full(""), full("client")}, oneWay},
	{"tick", []string{"net/...", "os/signal"}, "the scheduler is a function of time; who drives it reads the sockets"},

	{"room", []string{"net/...", nbio, llib, "os/signal"}, noSockets},
	{"room", []string{full("netio"), full(""), full("client")}, oneWay},
	{"room/roomtest", []string{"net/...", nbio, llib, full("netio"), full("")},
		"roomtest runs games on a virtual clock, without sockets"},

	{"netio", []string{full("room") + "/...", full("tick"), full(""), full("client")},
		"sockets know no games: bytes in, frames out; the root package joins the two"},
	{"", []string{full("client"), full("room/roomtest")}, oneWay},
	{"client", []string{full("netio"), full(""), full("room/roomtest"), nbio, llib}, otherSide},

	{"examples/pong", []string{"testing", full("room/roomtest")}, forTests},
	{"examples/chat", []string{"testing", full("room/roomtest"), full("client")}, forTests},
	{"examples/tutorial", []string{"testing", full("room/roomtest"), full("client")}, forTests},
	{"examples/dashboard", []string{"testing", full("room/roomtest")}, forTests},
	{"examples/auth", []string{"testing", full("room/roomtest"), full("client")}, forTests},
}

// forbidden are what no package of the core may reach.
var forbidden = map[string]string{
	"testing/...":                         forTests,
	"github.com/stretchr/testify/...":     forTests,
	"github.com/chromedp/chromedp/...":    forTests,
	"github.com/chromedp/cdproto/...":     forTests,
	"go.uber.org/goleak/...":              forTests,
	full("room/roomtest"):                 forTests,
	full("internal/..."):                  "what only tests use lives there",
	full("examples/..."):                  "examples use the core, not the other way round",
	full("bench/..."):                     "benchmarks use the core, not the other way round",
	"os/signal":                           "a library installs no signal handlers",
	"expvar":                              noServices,
	"net/http/pprof":                      noServices,
	"net/rpc/...":                         noServices,
	"database/sql/...":                    noServices,
	"github.com/golang-jwt/...":           "who somebody is decides a user's Config.Auth, by whatever it likes",
	"github.com/prometheus/...":           noServices,
	"go.opentelemetry.io/...":             noServices,
	"github.com/lesismal/nbio/nbhttp/...": "netio has its own upgrade and frame reader, which are strict and smaller",
	"github.com/gorilla/websocket/...":    "netio has its own upgrade and frame reader",
	"github.com/coder/websocket/...":      "netio has its own upgrade and frame reader",
}

// linked are the modules that the core may link, all of them, each with its reason.
var linked = map[string]string{
	"github.com/lesismal/nbio":            "the pollers",
	"github.com/lesismal/llib":            "TLS on a non-blocking connection",
	"github.com/vmihailenco/msgpack/v5":   "payloads of user types",
	"github.com/vmihailenco/tagparser/v2": "msgpack's struct tags",
	"golang.org/x/crypto":                 "llib's TLS",
	"golang.org/x/sys":                    "llib's TLS; timers of the system",
}

// required are the modules that go.mod names as needed directly.
var required = map[string]string{
	"github.com/lesismal/nbio":          "the pollers",
	"github.com/lesismal/llib":          "TLS on a non-blocking connection",
	"github.com/vmihailenco/msgpack/v5": "payloads of user types",
	"github.com/stretchr/testify":       "tests: assertions",
	"go.uber.org/goleak":                "tests: goroutines left behind",
	"github.com/chromedp/chromedp":      "tests: a browser",
	"github.com/chromedp/cdproto":       "tests: what the browser is asked",

	"github.com/golang-jwt/jwt/v5": "examples/auth: tokens",

	"github.com/alecthomas/kong":              "bench: the command line",
	"github.com/schollz/progressbar/v3":       "bench, internal/chaos: progress on a terminal",
	"github.com/jedib0t/go-pretty/v6":         "bench: tables",
	"github.com/wcharczuk/go-chart/v2":        "bench: charts of the report",
	"github.com/HdrHistogram/hdrhistogram-go": "bench: latencies",
	"golang.org/x/sys":                        "bench, examples/dashboard, internal/chaos, internal/stall: what only the system has",
	"golang.org/x/term":                       "bench, internal/chaos: whether anybody looks",
}

// nbioUsers are the packages whose code or tests may import nbio.
var nbioUsers = []string{"netio"}

func TestNobodyReachesWhatIsForbidden(t *testing.T) {
	g := load(t)
	for _, r := range rules {
		for _, mustNot := range r.mustNot {
			g.refuse(t, r.of, mustNot, r.why)
		}
	}
}

func TestTheCoreStaysSmall(t *testing.T) {
	g := load(t)
	for _, of := range core {
		for _, name := range slices.Sorted(maps.Keys(forbidden)) {
			g.refuse(t, of, name, forbidden[name])
		}
	}
}

// refuse fails if the package reaches what it must not.
func (g graph) refuse(t *testing.T, of, mustNot, why string) {
	t.Helper()
	from := full(of)
	if g[from] == nil {
		t.Errorf("%s is in the tables and not in the module: correct the tables", from)
		return
	}
	way := g.way(from, func(p *pkg) bool {
		if mustNot == others {
			return p.thirdParty()
		}
		return within(mustNot, p.ImportPath)
	})
	if way != nil {
		t.Errorf("%s must not reach %s: %s\n\tbut it does: %s", from, mustNot, why, strings.Join(way, " -> "))
	}
}

func TestOnlyNetioImportsNbio(t *testing.T) {
	for _, p := range load(t) {
		if !p.ours() || slices.ContainsFunc(nbioUsers, func(name string) bool { return full(name) == p.ImportPath }) {
			continue
		}
		for _, i := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if within("github.com/lesismal/...", i) {
				t.Errorf("%s or its tests import %s: %s", p.ImportPath, i, onlyNetio)
			}
		}
	}
}

func TestExamplesImportWhatUsersCan(t *testing.T) {
	for _, p := range load(t) {
		if !p.ours() || !within(full("examples/..."), p.ImportPath) {
			continue
		}
		for _, i := range p.Imports {
			if within(full("internal/..."), i) || within(full("netio"), i) {
				t.Errorf("%s imports %s: %s", p.ImportPath, i, asUsersDo)
			}
		}
	}
}

func TestTheCoreLinksTheseModulesOnly(t *testing.T) {
	g := load(t)
	found := map[string]string{} // from a module to the package of it that was met
	for _, p := range g.reached(each(core, full)...) {
		if p.thirdParty() {
			found[p.Module.Path] = p.ImportPath
		}
	}
	for m, p := range found {
		if linked[m] == "" {
			t.Errorf("the core links %s (%s): a new dependency of every user is a decision; say what it is for in the table",
				m, p)
		}
	}
	for m, what := range linked {
		if found[m] == "" {
			t.Errorf("the core no longer links %s (%s): take it out of the table", m, what)
		}
	}
}

func TestGoModRequiresTheseModulesOnly(t *testing.T) {
	watch(t)
	out, err := exec.Command("go", "mod", "edit", "-json", "../../go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		if !r.Indirect && required[r.Path] == "" {
			t.Errorf("go.mod requires %s: a new dependency is a decision; say what it is for in the table", r.Path)
		}
	}
}

// each applies f to all of them.
func each(names []string, f func(string) string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = f(name)
	}
	return out
}
