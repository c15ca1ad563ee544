// Thin digits, drawn as lines in a box of 60 by 100: no font has them on every machine.
const shapes = [
  "M30 2C13 2 6 20 6 50s7 48 24 48 24-18 24-48S47 2 30 2Z",
  "M14 20 34 3v95",
  "M8 28C8 12 17 2 31 2c13 0 22 9 22 23 0 12-7 20-17 32L7 97h47",
  "M9 18C13 8 20 2 30 2c13 0 22 9 22 23 0 13-9 21-22 22 15 0 25 10 25 25 0 16-11 26-25 26-12 0-21-7-24-18",
  "M42 98V2L5 70h51",
  "M50 3H14l-4 43c5-5 12-8 20-8 15 0 25 12 25 29 0 18-11 31-26 31-12 0-20-6-23-17",
  "M46 12C42 5 37 2 30 2 14 2 6 22 6 52c0 29 8 46 25 46 14 0 24-11 24-28 0-16-10-27-24-27C18 43 8 52 6 66",
  "M6 3h48C40 30 27 62 23 98",
].map((d) => new Path2D(d));

/** Draws a digit from 0 to 7, its middle at x and its top at y, in the context's units. */
export function drawDigit(ctx, digit, { x, y, size, line }) {
  const scale = size / 100;
  ctx.save();
  ctx.translate(x - 30 * scale, y);
  ctx.scale(scale, scale);
  ctx.lineWidth = line / scale;
  ctx.lineCap = ctx.lineJoin = "round";
  ctx.stroke(shapes[digit]);
  ctx.restore();
}
