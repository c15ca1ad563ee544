import assert from "node:assert/strict";
import { test } from "node:test";
import * as plain from "@msgpack/msgpack";
import { decode, encode } from "../.build/src/codec.js";

const hex = (b) => Buffer.from(b).toString("hex");
const bytes = (h) => new Uint8Array(Buffer.from(h.replaceAll(" ", ""), "hex"));

// These four replace private methods of the msgpack library: they fail when an update of it stops
// calling them.
test("a float that 32 bits hold takes 32 bits", () => {
  assert.equal(hex(encode(0.5)), "ca3f000000");
  assert.equal(hex(encode(0.1)), "cb3fb999999999999a");
});
test("an integer beyond 32 bits stays an integer", () => {
  assert.equal(hex(encode(2 ** 40)), "cf0000010000000000");
  assert.equal(hex(encode(-(2 ** 40))), "d3ffffff0000000000");
});
test("64-bit integers are numbers while that is exact", () => {
  assert.equal(decode(bytes("cf 0000000000000005")), 5);
  assert.equal(decode(bytes("cf 001fffffffffffff")), Number.MAX_SAFE_INTEGER);
  assert.equal(decode(bytes("cf 0020000000000000")), 2n ** 53n);
  assert.equal(decode(bytes("cf ffffffffffffffff")), 2n ** 64n - 1n);
  assert.equal(decode(bytes("d3 ffe0000000000001")), Number.MIN_SAFE_INTEGER);
  assert.equal(decode(bytes("d3 ffe0000000000000")), -(2n ** 53n));
});
test("a length must fit into the bytes that follow it", () => {
  for (const bomb of ["dd 01000000", "dd 00000002 c0", "dc 0003 c0c0", "df 00000002 a161 01", "df 01000000"]) {
    assert.throws(() => decode(bytes(bomb)), /longer than its frame/, bomb);
  }
  assert.deepEqual(decode(bytes("dd 00000002 c0 c0")), [null, null]);
});
test("nesting ends at 64", () => {
  const nested = (n) => bytes("91".repeat(n - 1) + "90");
  assert.equal(hex(encode(decode(nested(64)))), hex(nested(64)));
  assert.throws(() => decode(bytes("91".repeat(65) + "c0")), /deeper than 64/);
});

test("the key __proto__ of one player does not close the others' connections", () => {
  for (const key of ["a9", "d909", "da0009"]) {
    const value = decode(bytes(`83 a161 01 ${key} 5f5f70726f746f5f5f 81 a178 01 a162 02`));
    assert.deepEqual(Object.keys(value), ["a", "b"]);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.equal(value.x, undefined);
  }
  assert.deepEqual(decode(plain.encode({ nine_long: 1, a: "__proto__" })), { nine_long: 1, a: "__proto__" });
});

test("only timestamps are extensions", () => {
  assert.deepEqual(decode(bytes("d6 ff 00000001")), new Date(1000));
  for (const other of ["d4 05 00", "d6 05 00000000", "c7 0c 07 000000000000000000000000"]) {
    assert.throws(() => decode(bytes(other)), /extension type/);
  }
});

test("an undefined member is left out, an undefined element is nil", () => {
  assert.deepEqual(plain.decode(encode({ a: undefined, b: [undefined, 1] })), { b: [null, 1] });
});

// The library as it comes is the model, on the values that both treat alike.
test("random values are what the library says they are", () => {
  let seed = 1;
  const random = (n) => (seed = (seed * 48271) % 0x7fffffff) % n;
  const value = (depth) => {
    switch (random(depth > 3 ? 6 : 8)) {
      case 0: return null;
      case 1: return random(2) === 0;
      case 2: return random(2 ** 30) - 2 ** 29;
      case 3: return (random(2 ** 30) - 2 ** 29) / 3;
      case 4: return "é".repeat(random(40));
      case 5: return new Uint8Array(random(300)).fill(7);
      case 6: return Array.from({ length: random(20) }, () => value(depth + 1));
      default: return Object.fromEntries(Array.from({ length: random(20) }, (_, i) => [`k${i}`, value(depth + 1)]));
    }
  };
  for (let i = 0; i < 500; i++) {
    const v = value(0);
    assert.deepEqual(plain.decode(encode(v)), v);
    assert.deepEqual(decode(plain.encode(v)), v);
    assert.deepEqual(decode(encode(v)), v);
  }
});
