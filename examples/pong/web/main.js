// The page: it joins at once, and draws a picture of the match in each frame.
import { Connection } from "./connection.js";
import { Effects } from "./effects.js";
import { command, editNames, showLost, showNote, showTable } from "./hud.js";
import { expose } from "./probe.js";
import { Input } from "./input.js";
import { Match } from "./match.js";
import { Paddle } from "./paddle.js";
import { Picture } from "./draw.js";
import { Stats } from "./stats.js";
import { audible, bounceSound, goalSound, toggleSound, winSound } from "./sound.js";
import { myName, rename } from "./names.js";

const patience = 1500; // ms

const canvas = document.querySelector("#canvas");
const picture = new Picture(canvas);
const input = new Input(canvas);
const effects = new Effects();

let match; // undefined before the first join
let paddle; // one's own
let lost; // {text, since, until}: why there is no game, since when, and when the next try is
let shown; // what was drawn last
let frames = 0;
let last = performance.now();

const connection = new Connection({
  options: () => ({ Name: myName() }),
  joined(room) {
    match = new Match(room, changed);
    // What one wants only counts while it is new: without a connection it is not kept.
    paddle = new Paddle((y) => room.connected && room.emit("aim", y) > 0);
    input.reset();
    room.onVolley(() => stats.tick());
    back();
  },
  anew(room) {
    match.forget(room.rate);
    input.reset();
    paddle.again();
  },
  lost(text, wait) {
    const now = performance.now();
    lost = { text, since: lost?.since ?? now, until: wait === undefined ? undefined : now + wait };
  },
  back() {
    paddle.again();
    back();
  },
});

function back() {
  lost = undefined;
  showLost();
}

/** Whether the connection has been lost so briefly that a note is enough. */
const brief = () => lost?.until !== undefined && performance.now() - lost.since < patience;

const stats = new Stats(connection);
const report = expose(() => ({ match, lost, brief: brief(), shown, frames }));

/** The seat or the table is another. */
function changed(before) {
  const { table, seat } = match;
  showTable(table, seat);
  if (table.Serve !== before.Serve) effects.served();
  if (!before.Serve) return; // what was scored before we came
  for (const side of [0, 1]) {
    if (table.Score[side] <= before.Score[side]) continue;
    effects.goal(side);
    if (table.Winner >= 0) winSound();
    else goalSound();
  }
}

function note(now) {
  if (match && brief()) return "reconnecting…";
  if (!match || lost || match.over) return "";
  if (match.waiting) {
    const seconds = Math.max(1, Math.ceil((match.botAt - now) / 1000 - 0.1)); // a frame's time is a little old
    return `waiting for a second player – a bot joins in ${seconds}…`;
  }
  return match.seat < 0 ? "you are watching until a seat is free" : "";
}

function frame(now) {
  requestAnimationFrame(frame);
  const seconds = Math.max(0, (now - last) / 1000);
  last = now;
  stats.frame();
  if (lost && !(match && brief())) {
    const left = lost.until && Math.max(0, Math.ceil((lost.until - now) / 1000));
    showLost(lost.text, left === undefined ? "" : `Trying again ${left ? `in ${left} s` : "now"}…`);
  }
  showNote(note(now));
  report();
  const at = match?.timeline.at(now);
  if (!at) return;

  if (match.seat >= 0) {
    paddle.frame(seconds, input.wanted(paddle.y), at.paddles[match.seat]);
    at.paddles[match.seat] = paddle.y;
  }
  while (match.bounces[0]?.tick <= at.tick) {
    const { tick, side } = match.bounces.shift();
    const there = match.timeline.exactly(tick) ?? at;
    effects.bounce(side, there.x, there.y);
    bounceSound(side);
  }
  const ball = !match.over && !match.waiting;
  const serve = match.serveIn(at.tick);
  effects.frame(now, seconds, ball && !serve.share ? at : undefined);
  picture.draw({
    shown: at,
    score: match.table.Score,
    winner: match.table.Winner,
    empty: match.table.Names.map((name) => !name),
    effects,
    ball,
    wait: ball ? serve.share : 0,
    count: match.wait > 1 ? Math.min(3, Math.ceil(serve.seconds * 2)) : 0, // half-seconds, before a match
  });
  shown = at;
  frames++;
}

command("#sound", "KeyM", toggleSound).setAttribute("aria-pressed", audible());
command("#latency", "KeyL", () => stats.toggle());
command("#rematch", "KeyR", () => {
  if (match?.over && match.seat >= 0 && !lost) connection.room?.emit("rematch", true);
});
command("#retry", "", () => {
  if (lost) lost.until = performance.now();
  connection.retry();
});
editNames(myName, (name) => rename(name) && connection.rejoin());
requestAnimationFrame(frame);
