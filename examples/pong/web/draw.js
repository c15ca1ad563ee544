// The canvas: one picture of the game, in the court's units.
import { drawDigit } from "./digits.js";
import { height, paddleX, radius, reach, width } from "./court.js";

const thick = 1.7; // of a paddle
const white = "#f4f7ff";

export class Picture {
  #canvas;
  #ctx;
  #colours; // of the sides
  #glows; // by side, and at 2 in white

  constructor(canvas) {
    this.#canvas = canvas;
    this.#ctx = canvas.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    this.#colours = ["--left", "--right"].map((name) => style.getPropertyValue(name).trim());
    this.#glows = [...this.#colours, white].map(glow);
  }

  /** Draws what view says: see main.js. */
  draw(view) {
    const ctx = this.#ctx;
    this.#fit();
    ctx.clearRect(0, 0, width, height);
    if (view.winner < 0) this.#net();
    this.#walls(view.effects);
    this.#score(view.score, view.winner, view.effects);
    if (view.wait > 0) this.#countdown(view.wait, view.count);
    if (view.ball) this.#ball(view.shown, view.effects);
    this.#paddles(view.shown, view.effects, view.empty);
    this.#sparks(view.effects);
  }

  /** Makes the canvas as fine as the screen. */
  #fit() {
    const c = this.#canvas;
    const w = Math.round(c.clientWidth * devicePixelRatio);
    const h = Math.round(c.clientHeight * devicePixelRatio);
    if (c.width !== w || c.height !== h) Object.assign(c, { width: w, height: h });
    this.#ctx.setTransform(w / width, 0, 0, h / height, 0, 0);
  }

  #colour(side) {
    return this.#colours[side] ?? white;
  }

  #net() {
    const ctx = this.#ctx;
    ctx.fillStyle = "rgb(255 255 255 / 10%)";
    for (let y = 2.25; y < height; y += 4.5) {
      ctx.beginPath();
      ctx.roundRect(width / 2 - 0.2, y - 0.9, 0.4, 1.8, 0.2);
      ctx.fill();
    }
  }

  #walls({ goals }) {
    goals.forEach((light, side) => {
      if (!light) return;
      const ctx = this.#ctx;
      const x = side * width;
      const shade = ctx.createLinearGradient(x, 0, side ? x - 40 : 40, 0);
      shade.addColorStop(0, this.#colour(1 - side));
      shade.addColorStop(1, "transparent");
      ctx.globalAlpha = light * light * 0.35;
      ctx.fillStyle = shade;
      ctx.fillRect(side ? width - 40 : 0, 0, 40, height);
      ctx.globalAlpha = 1;
    });
  }

  #score(score, winner, { scores }) {
    const ctx = this.#ctx;
    score.forEach((n, side) => {
      const pop = scores[side] * scores[side];
      const size = 22 * (1 + 0.14 * pop);
      ctx.strokeStyle = this.#colour(side);
      ctx.globalAlpha = side === winner ? 1 : 0.5 + 0.5 * pop;
      drawDigit(ctx, n, { x: width / 2 + (side ? 19 : -19), y: 20 - size / 2, size, line: 0.75 });
    });
    ctx.globalAlpha = 1;
  }

  #countdown(wait, count) {
    const ctx = this.#ctx;
    ctx.strokeStyle = white;
    ctx.lineWidth = 0.35;
    ctx.lineCap = "round";
    ctx.globalAlpha = 0.55;
    ctx.beginPath();
    ctx.arc(width / 2, height / 2, 5.5, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.min(1, wait));
    ctx.stroke();
    ctx.globalAlpha = 0.9;
    if (count) drawDigit(ctx, count, { x: width / 2, y: height / 2 + 10, size: 11, line: 0.5 });
    ctx.globalAlpha = 1;
  }

  #ball({ x, y }, { trail, lastHit }) {
    const ctx = this.#ctx;
    this.#trail(trail, this.#colour(lastHit));
    ctx.globalCompositeOperation = "lighter";
    ctx.globalAlpha = 0.5;
    ctx.drawImage(this.#glows[lastHit] ?? this.#glows[2], x - 8, y - 8, 16, 16);
    ctx.globalCompositeOperation = "source-over";
    ctx.globalAlpha = 1;
    ctx.fillStyle = white;
    ctx.beginPath();
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    ctx.fill();
  }

  /** A ribbon along where the ball was, which gets wider and brighter towards it. */
  #trail(points, colour) {
    if (points.length < 3) return;
    const [tail, head] = [points[0], points.at(-1)];
    if (Math.hypot(head.x - tail.x, head.y - tail.y) < radius) return;
    const ctx = this.#ctx;
    const edges = points.map((p, i) => {
      const [a, b] = [points[Math.max(0, i - 1)], points[Math.min(points.length - 1, i + 1)]];
      const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
      const half = (radius * 0.95 * i) / (points.length - 1);
      return { x: p.x, y: p.y, dx: (-(b.y - a.y) / length) * half, dy: ((b.x - a.x) / length) * half };
    });
    const shade = ctx.createLinearGradient(tail.x, tail.y, head.x, head.y);
    shade.addColorStop(0, "transparent");
    shade.addColorStop(1, colour);
    ctx.fillStyle = shade;
    ctx.globalAlpha = 0.55;
    ctx.beginPath();
    for (const e of edges) ctx.lineTo(e.x + e.dx, e.y + e.dy);
    for (const e of edges.reverse()) ctx.lineTo(e.x - e.dx, e.y - e.dy);
    ctx.fill();
    ctx.globalAlpha = 1;
  }

  #paddles({ paddles }, effects, empty) {
    const ctx = this.#ctx;
    paddles.forEach((y, side) => {
      const flash = effects.paddles[side];
      const x = side ? width - paddleX : paddleX - thick;
      ctx.globalAlpha = empty[side] ? 0.12 : 0.22 + 0.4 * flash;
      ctx.drawImage(this.#glows[side], x + thick / 2 - 7, y - reach - 6, 14, 2 * reach + 12);
      ctx.globalAlpha = empty[side] ? 0.25 : 1;
      ctx.fillStyle = this.#colour(side);
      ctx.beginPath();
      ctx.roundRect(x, y - reach, thick, 2 * reach, thick / 2);
      ctx.fill();
      ctx.fillStyle = white;
      ctx.globalAlpha = flash * 0.85;
      ctx.fill();
    });
    ctx.globalAlpha = 1;
  }

  #sparks({ sparks, rings }) {
    const ctx = this.#ctx;
    for (const s of sparks) {
      ctx.globalAlpha = s.life;
      ctx.fillStyle = this.#colour(s.side);
      ctx.beginPath();
      ctx.arc(s.x, s.y, 0.35 * s.life + 0.1, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.lineWidth = 0.3;
    for (const r of rings) {
      ctx.globalAlpha = r.life * 0.6;
      ctx.strokeStyle = this.#colour(r.side);
      ctx.beginPath();
      ctx.arc(r.x, r.y, radius + (1 - r.life) * 5, 0, 2 * Math.PI);
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
  }
}

/** A soft spot of light, drawn once. */
function glow(colour) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 128, height: 128 });
  const ctx = canvas.getContext("2d");
  const shade = ctx.createRadialGradient(64, 64, 0, 64, 64, 64);
  shade.addColorStop(0, colour);
  shade.addColorStop(0.3, `color-mix(in srgb, ${colour} 40%, transparent)`);
  shade.addColorStop(1, "transparent");
  ctx.fillStyle = shade;
  ctx.fillRect(0, 0, 128, 128);
  return canvas;
}
