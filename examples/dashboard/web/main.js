// The page: what the server tells goes into a store, from which cards are drawn.
import { Card } from "./chart.js";
import { cards as kinds } from "./cards.js";
import { Controls } from "./demo.js";
import { duration } from "./format.js";
import { expose } from "./probe.js";
import { forgetCounts, showCount } from "./counts.js";
import { Native } from "./native.js";
import { SocketIO, load } from "./socketio.js";
import { Store } from "./store.js";
import { Swarm } from "./swarm.js";

const which = new URLSearchParams(location.search).get("client") === "socketio" ? "socketio" : "native";
document.querySelector(`[data-client=${which}]`).setAttribute("aria-current", "page");

const store = new Store();
const swarm = new Swarm();
const controls = new Controls((event, payload) => connection?.emit(event, payload));
const cards = kinds.map((kind) => new Card(kind, store, point));
document.querySelector("#cards").append(...cards.map((card) => card.element));
for (const card of cards) card.start();

let connection;
let state = { status: "connecting" };
let since; // when the connection was lost
let again; // when the next try is
let room; // the id of the one to look at
let events = 0;
let drawing = false;

const hear = {
  history(history) {
    if (store.about && store.about.Started !== history.Started) forgetCounts();
    store.begin(history);
    document.querySelector("#go").textContent = history.Go.replace(/^go/, "");
    document.querySelector("#cores").textContent = history.Cores;
    describe();
  },
  change: (change) => store.add(change),
  count: showCount,
  demo(demo) {
    room = demo.Watch;
    controls.show(demo);
    swarm.show(room, connection);
  },
};

const told = {
  event(name, payload) {
    events++;
    hear[name]?.(payload);
    draw();
  },
  state(now) {
    if (now.status !== "open" && state.status === "open") since = performance.now();
    if (now.status !== "open") swarm.stop();
    else if (now.resumed) swarm.show(room, connection); // otherwise the demo is about to be told
    if (now.status !== "connecting" || state.status !== "lost") state = now; // a try that is under way is no news
    again = now.status === "lost" && now.wait !== undefined ? performance.now() + now.wait : undefined;
    controls.enable(now.status === "open");
    showState();
  },
};

/** Draws once for all that comes before the next frame. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    for (const card of cards) card.draw();
    tick();
  });
}

/** What changes with time alone. */
function tick() {
  if (store.about) {
    document.querySelector("#uptime").textContent = duration(store.clock - store.about.Started);
    point(pointed);
  }
  report();
}

const patience = 1500; // ms for which a lost connection is only a note

function showState() {
  const { status, why = "" } = state;
  const pill = document.querySelector("#status");
  const text = { open: "live", connecting: "connecting…", lost: "reconnecting…" }[status];
  if (pill.textContent !== text) pill.textContent = text;
  pill.dataset.status = status;
  const long = status === "lost" && performance.now() - (since ?? 0) > patience;
  document.documentElement.classList.toggle("stale", status !== "open");
  document.querySelector("#lost").hidden = !long;
  document.querySelector("#why").textContent = why;
  const left = again && Math.max(0, Math.ceil((again - performance.now()) / 1000));
  document.querySelector("#again").textContent = left ? `Trying again in ${left} s…` : "Trying again…";
}

/** What time the charts are of. */
function span() {
  const [from, to] = store.window;
  return (to - from) * 1000 < store.span ? `The last ${duration((to - from) * 1000)}` : "The last two minutes";
}

let pointed; // the time that somebody points at

/** Somebody points at a time. */
function point(time) {
  pointed = time;
  const ago = time && Math.max(0, Math.round(store.clock / 1000 - time));
  const text = time !== undefined ? `${ago} s ago` : span();
  const moment = document.querySelector("#moment");
  if (moment.textContent !== text) moment.textContent = text;
}

const describe = () => cards.forEach((card) => card.describe());

document.querySelector("#retry").addEventListener("click", () => connection?.retry());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => cards.forEach((card) => card.recolour()));
setInterval(() => {
  if (state.status !== "open") showState();
  draw(); // time goes on, whatever the server says
}, 1000);
setInterval(describe, 5000);

const report = expose(() => ({ client: which, status: state.status, store, events, states: swarm.states }));
connection = which === "native" ? new Native(told) : new SocketIO(await load(), told);
