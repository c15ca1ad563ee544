// The states that came, and what to show between them: a moment of the past that lies between two of them.
import { clamp } from "./court.js";

const behind = 1.5; // ticks: how far in the past we show
const ahead = 2; // ticks: how far we guess on when states are late
const kept = 240;
const jump = 5; // units a tick; what moves further was put there

const mix = (a, b, t) => a + (b - a) * t;

export class Timeline {
  #states = [];
  #step; // ms a tick
  #zero; // when tick 0 would have arrived, smoothed

  constructor(rate) {
    this.#step = 1000 / rate;
  }

  get newest() {
    return this.#states.at(-1);
  }

  /** A state as the server sent it, when it arrives. */
  add(tick, [x, y, paddles], now) {
    const zero = now - tick * this.#step;
    if (!(Math.abs(zero - this.#zero) < 200)) this.#zero = zero;
    this.#zero += (zero - this.#zero) * 0.08;
    this.#states.push({ tick, x, y, paddles });
    if (this.#states.length > kept) this.#states.shift();
  }

  /** The state of exactly this tick, if it is remembered. */
  exactly(tick) {
    return this.#states.find((s) => s.tick === tick);
  }

  /** What to show now; undefined before the first state. */
  at(now) {
    const states = this.#states;
    if (states.length < 2) return states[0];
    const tick = (now - this.#zero) / this.#step - behind;
    let i = states.length - 2;
    while (i > 0 && states[i].tick > tick) i--;
    const [a, b] = [states[i], states[i + 1]];
    const span = b.tick - a.tick;
    const t = clamp((tick - a.tick) / span, 0, 1 + ahead / span);
    const put = Math.hypot(b.x - a.x, b.y - a.y) > jump * span;
    const ball = put ? (t < 1 ? a : b) : { x: mix(a.x, b.x, t), y: mix(a.y, b.y, t) };
    const u = Math.min(t, 1);
    return {
      tick: Math.min(tick, b.tick + ahead),
      x: ball.x,
      y: ball.y,
      paddles: [mix(a.paddles[0], b.paddles[0], u), mix(a.paddles[1], b.paddles[1], u)],
    };
  }
}
