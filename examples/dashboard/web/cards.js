// What is shown: a card for each kind of figure, with one or two of them.
import * as format from "./format.js";

// least is how high a chart is at least, in its unit, so that noise does not look like weather.
export const cards = [
  { title: "Connections", format: format.whole, least: 4, series: { conns: "Volley", sio: "Socket.IO" } },
  { title: "Players", format: format.whole, least: 4, series: { players: "in rooms" } },
  { title: "Rooms", format: format.whole, least: 4, series: { rooms: "with this board’s" } },
  { title: "Tick lateness", format: format.ms, least: 2, series: { late50: "median", late99: "99 %" } },
  { title: "Ticks run", format: format.percent, share: true, series: { ran: "of those due" } },
  { title: "Frames per second", format: format.short, least: 10, series: { framesIn: "in", framesOut: "out" } },
  { title: "Bytes per second", format: format.bytes, least: 1000, series: { bytesIn: "in", bytesOut: "out" } },
  { title: "Waiting to be sent", format: format.bytes, least: 1000, series: { waiting: "all connections" } },
  { title: "CPU", format: format.percent, least: 10, series: { cpu: "of all cores" } },
  { title: "Memory", format: format.megabytes, least: 10, series: { heap: "Go heap", rss: "process" } },
  { title: "Goroutines", format: format.whole, least: 10, series: { goroutines: "now" } },
  { title: "Longest GC pause", format: format.ms, least: 0.5, series: { pause: "in half a second" } },
];
