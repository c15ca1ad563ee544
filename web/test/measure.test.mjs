import assert from "node:assert/strict";
import { test } from "node:test";
import { measure } from "../.build/src/measure.js";

const cyclic = [];
cyclic.push({ again: cyclic });

for (const [value, count] of [
  [undefined, 1],
  [null, 1],
  ["text 🏓", 1],
  [new Uint8Array(100), 1],
  [new Date(0), 1],
  [2n ** 64n - 1n, 1],
  [-(2n ** 63n), 1],
  [[], 1],
  [[1, 2, [3]], 5],
  [{ a: 1, b: [2] }, 6],
  [{ a: undefined }, 1],
]) {
  test(`measures ${typeof value === "bigint" ? value : JSON.stringify(value)}`, () => {
    assert.equal(measure(value, "move", 10), count);
  });
}

for (const [value, message] of [
  [NaN, "move is NaN"],
  [{ pos: [0, { x: Infinity }] }, "move.pos[1].x is Infinity"],
  [[-Infinity], "move[0] is -Infinity"],
  [{ big: 2n ** 64n }, "move.big does not fit 64 bits"],
  [{ big: -(2n ** 63n) - 1n }, "move.big does not fit 64 bits"],
  [{ text: "cut \ud83c" }, "move.text is not well-formed text (half of a surrogate pair)"],
  [{ "\udfd3": 1 }, "move.\udfd3 has a key that is not well-formed text"],
  [{ when: new Date(NaN) }, "move.when is an invalid Date"],
  [() => 1, "move is a function"],
  [{ s: Symbol("s") }, "move.s is a symbol"],
  [[new Map()], "move[0] is a Map: send an array, a plain object or a Uint8Array"],
  [new Set(), "move is a Set: send an array, a plain object or a Uint8Array"],
  [new Float32Array(2), "move is a Float32Array: send an array, a plain object or a Uint8Array"],
  [new ArrayBuffer(2), "move is a ArrayBuffer: send an array, a plain object or a Uint8Array"],
  [{ p: Promise.resolve() }, "move.p is a Promise: send an array, a plain object or a Uint8Array"],
  [[[[[1]]]], "move[0][0][0] is nested deeper than 3"],
]) {
  test(`refuses: ${message}`, () => {
    assert.throws(() => measure(value, "move", 3), { name: "VolleyError", kind: "invalid", message });
  });
}

test("refuses a cycle, whatever the limit", () => {
  assert.throws(() => measure(cyclic, "move", 1e9), {
    message: "move[0].again[0].again[0].again[0].again… is nested deeper than 64",
  });
});

test("scalars may stand at the deepest level", () => {
  assert.equal(measure([[[1]]], "move", 3), 4);
});
