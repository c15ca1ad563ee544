import assert from "node:assert/strict";
import { test } from "node:test";
import * as plain from "@msgpack/msgpack";
import { decode, encode, Encoded } from "../.build/src/codec.js";

const hex = (b) => Buffer.from(b).toString("hex");
const bytes = (h) => new Uint8Array(Buffer.from(h.replaceAll(" ", ""), "hex"));

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

test("text is text, whatever it begins with and however long it is", () => {
  for (const text of ["", "\ufeffmark", "é", "x".repeat(31), "é".repeat(31), "x".repeat(255), "€".repeat(90), "😀".repeat(30000)]) {
    assert.equal(hex(encode(text)), hex(plain.encode(text)), text.slice(0, 9));
    assert.equal(decode(encode(text)), text);
  }
});

test("strings that share a slot of the decoder's memory do not mix", () => {
  const words = Array.from({ length: 2000 }, (_, i) => `k${i % 1000}`);
  assert.deepEqual(decode(plain.encode(words)), words);
});

test("times: three forms, before and after 1970", () => {
  for (const ms of [0, 1, 999, 1000, 2 ** 32 * 1000 - 1, 2 ** 32 * 1000, 2 ** 34 * 1000 - 1, 2 ** 34 * 1000, -1, -1000, -1001, -62135596800000]) {
    assert.equal(hex(encode(new Date(ms))), hex(plain.encode(new Date(ms))), String(ms));
    assert.deepEqual(decode(encode(new Date(ms))), new Date(ms));
  }
});

test("what is encoded already is put in as it is", () => {
  assert.equal(hex(encode([1, new Encoded(encode({ a: [2] })), 3])), hex(encode([1, { a: [2] }, 3])));
});

test("a buffer that has to grow, and what was handed out before it did", () => {
  const first = encode("first");
  const long = { list: Array.from({ length: 300 }, (_, i) => ({ i, text: "x".repeat(i) })), bin: new Uint8Array(3 << 20).fill(5) };
  assert.deepEqual(plain.decode(encode(long)), long);
  encode("other");
  assert.equal(decode(first), "first");
});

function randomizer(seed) {
  return (n) => (seed = (seed * 48271) % 0x7fffffff) % n;
}

function randomValue(random, depth = 0) {
  switch (random(depth > 3 ? 7 : 9)) {
    case 0: return null;
    case 1: return random(2) === 0;
    case 2: return Math.trunc((random(2 ** 30) - 2 ** 29) / 2 ** random(30)) || 0; // the wire has no -0
    case 3: return (random(2 ** 30) - 2 ** 29) / 3;
    case 4: return "é".repeat(random(40));
    case 5: return new Uint8Array(random(300)).fill(7);
    case 6: return new Date((random(2 ** 30) - 2 ** 29) * 2 ** random(13));
    case 7: return Array.from({ length: random(20) }, () => randomValue(random, depth + 1));
    default: return Object.fromEntries(Array.from({ length: random(20) }, (_, i) => [`k${i}`, randomValue(random, depth + 1)]));
  }
}

// The library is the model, on the values that both treat alike.
test("random values are what the library says they are", () => {
  const random = randomizer(1);
  for (let i = 0; i < 500; i++) {
    const v = randomValue(random);
    assert.deepEqual(plain.decode(encode(v)), v);
    assert.deepEqual(decode(plain.encode(v)), v);
    assert.deepEqual(decode(encode(v)), v);
  }
});

test("random bytes: one value or an error, and what the library takes as well means the same", () => {
  const random = randomizer(2);
  const attempt = (decode, bytes) => {
    try {
      return { value: decode(bytes) };
    } catch (error) {
      assert.ok(error instanceof Error);
      return undefined;
    }
  };
  let both = 0;
  for (let i = 0; i < 20_000; i++) {
    const bytes = plain.encode(randomValue(random, 3)).slice(0, 60);
    for (let n = random(3); n > 0 && bytes.length > 0; n--) bytes[random(bytes.length)] = random(256);
    const own = attempt(decode, bytes);
    const library = attempt((b) => plain.decode(b, { useBigInt64: false }), bytes);
    if (!own || !library) continue;
    both++;
    // The library rounds what needs 64 bits, and has its own reading of text that is no UTF-8.
    const small = (v) => typeof v !== "bigint" && !(typeof v === "string" && v.includes("\ufffd"));
    const time = (v) => v instanceof Date && Number.isNaN(v.getTime()); // further away than a Date goes; no two are equal
    const plainly = (v) => !time(v) && (typeof v === "object" && v ? Object.entries(v).flat().every(plainly) : small(v));
    if (plainly(own.value)) assert.deepEqual(own.value, library.value, hex(bytes));
  }
  assert.ok(both > 5000, `${both} were taken by both`);
});
