// Command bench measures Volley on the machine that it runs on: how many connections, rooms, broadcasts, ticks and round trips
// it carries, and what each costs.
//
//	go run ./bench rooms -rooms 100 -clients 8 -hz 20
//	go run ./bench capacity -conns 15000 -hold 2m -html report.html
//	go run ./bench --help
//
// # Who does what
//
// The process that you start conducts: it reads the limits of the machine, plans how many processes are needed, starts
// itself again as servers and as load generators, each group on cores of its own, tells them when to begin, takes the figures
// before and after the window, and ends them. It is in these files:
//
//   - main.go: the command line. process.go: one child. plan.go: how many. fleet.go: all of them. window.go: what they did.
//   - capacity.go, rooms.go, findmax.go, fanout.go, tick.go, echo.go, compare.go: a workload each.
//   - usage.go: CPU time and memory of processes and of the kernel.
//   - result.go, table.go, report.go, chart.go, progress.go: what is shown.
//   - plug.go, rivals.go, rivals_node.go: servers that are not Volley. What they are is in rivals/, in modules of their own.
//
// A server process (server.go, games.go) is a plain volley.Server with the games that the workloads need. A load process
// (load.go, loop.go, dial.go, conn.go, dialect.go, pace.go) has one epoll loop on one thread, raw sockets, frames that are
// built once, and no memory to allocate as long as it only plays; so it costs less than what it measures. TLS needs a
// goroutine per connection there (tlsload.go), and costs more.
//
// Children talk to the conductor by lines of JSON over their standard input and output (wire.go). They end when their standard
// input does, so also when the conductor is gone for whatever reason.
//
// # Rivals
//
// The workload compare plays on other servers as well: the games of games.go without a protocol (dialect.go, bareDialect), or
// with the one that they have, each as small and as well tuned as its own authors would have it. They are built when they are
// needed first, into the user's cache directory; those on Node are installed beside their sources.
//
//   - rivals/floor: one epoll loop in C, with the system calls that every such server makes and no library. Nobody is below it.
//   - rivals/nbio, nbio-tuned: nbio with its defaults; and on one poller, without goroutines, frames built once.
//   - rivals/gws, gobwas: a goroutine per connection. rivals/gnet: an event loop, TCP instead of WebSocket.
//   - rivals/internal: what those in Go share. child is the conversation with the conductor, game the games.
//   - volley-sio, volley-sio-msgpack: Volley with package socketio, whose clients are those of Socket.IO below. Its games are
//     mounted in place of the namespace "/", so that the load sends to both servers, and waits for, the same bytes.
//   - rivals/node: ws, uWebSockets.js; Socket.IO with both of its parsers (dialect_socketio.go); Colyseus, whose rooms send
//     bytes (dialect_colyseus.go). child.mjs and games.mjs are what they share.
//
// # What the figures mean
//
// Server CPU is the process's own CPU clock, read from outside at the beginning and at the end of the window, divided by
// what the load generators received in that window. Latencies are measured from a stamp that travels in the payload: every
// process reads the same monotonic clock.
package main
