// What flashes, glows and fades: nothing here matters to the game.
import { height, width } from "./court.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const trailTime = 260; // ms

export class Effects {
  trail = []; // {x, y, at}, oldest first
  sparks = []; // {x, y, vx, vy, life, side}
  rings = []; // {x, y, life, side}
  paddles = [0, 0]; // how bright each paddle still flashes, from 1 to 0
  goals = [0, 0]; // the same of the walls behind them
  scores = [0, 0]; // and of the digits
  lastHit = -1; // the seat that hit the ball last

  /** The ball met a wall (side -1) or a paddle. */
  bounce(side, x, y) {
    if (side >= 0) {
      this.paddles[side] = 1;
      this.lastHit = side;
    }
    if (calm.matches) return;
    this.rings.push({ x, y, life: 1, side });
    const away = side === 0 ? 1 : side === 1 ? -1 : 0;
    for (let i = 0; i < (side < 0 ? 4 : 9); i++) {
      const vx = away * (20 + 60 * Math.random()) + (away ? 0 : 50 * (Math.random() - 0.5));
      const vy = away ? 70 * (Math.random() - 0.5) : (y < height / 2 ? 1 : -1) * 40 * Math.random();
      this.sparks.push({ x, y, vx, vy, life: 1, side });
    }
  }

  /** Somebody scored. */
  goal(scorer) {
    this.scores[scorer] = 1;
    if (!calm.matches) this.goals[1 - scorer] = 1;
    this.served();
  }

  /** The ball is in the middle again. */
  served() {
    this.trail.length = 0;
    this.lastHit = -1;
  }

  frame(now, seconds, ball) {
    const fade = (list, rate) => list.forEach((v, i) => (list[i] = Math.max(0, v - rate * seconds)));
    fade(this.paddles, 4);
    fade(this.goals, 1.6);
    fade(this.scores, 2.2);
    for (const s of this.sparks) {
      s.x += s.vx * seconds;
      s.y += s.vy * seconds;
      s.life -= 2.6 * seconds;
    }
    for (const r of this.rings) r.life -= 2.8 * seconds;
    this.sparks = this.sparks.filter((s) => s.life > 0);
    this.rings = this.rings.filter((r) => r.life > 0);

    const last = this.trail.at(-1);
    if (!ball || calm.matches || (last && Math.abs(ball.x - last.x) > width / 4)) this.trail.length = 0;
    else this.trail.push({ x: ball.x, y: ball.y, at: now });
    while (this.trail.length && now - this.trail[0].at > trailTime) this.trail.shift();
  }
}
