import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decode, encode } from "../.build/src/codec.js";
import { parse, Type, volley } from "../.build/src/frames.js";
import { measure } from "../.build/src/measure.js";

const golden = JSON.parse(readFileSync(new URL("../../testdata/wire/frames.json", import.meta.url)));
const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (b) => Buffer.from(b).toString("hex");

/** The JavaScript value that a JSON meaning stands for. */
function meaning(v) {
  if (Array.isArray(v)) return v.map(meaning);
  if (typeof v !== "object" || v === null) return v;
  if ("$bin" in v) return bytes(v.$bin);
  if ("$ts" in v) return new Date(v.$ts);
  if ("$int" in v) return BigInt(v.$int);
  const entries = "$map" in v ? v.$map : Object.entries(v);
  return Object.fromEntries(entries.map(([key, value]) => [key, meaning(value)]));
}

test("the golden file is whole", () => {
  assert.equal(golden.version, 1);
  assert.ok(golden.frames.length >= 25 && golden.bad.length >= 15);
  const types = new Set(golden.frames.map((f) => f.value[0]));
  assert.deepEqual([...types].sort((a, b) => a - b), Object.values(Type));
});

for (const f of golden.frames) {
  test(`${f.from}: ${f.name}: decodes`, () => assert.deepEqual(decode(bytes(f.hex)), meaning(f.value)));
  if (f.from === "server") {
    test(`server: ${f.name}: is a frame`, () => assert.equal(parse(bytes(f.hex)).type, f.value[0]));
    continue;
  }
  test(`client: ${f.name}: encodes`, () => {
    measure(meaning(f.value), "frame", 64);
    assert.equal(hex(encode(meaning(f.value))), f.hex);
  });
  if (f.value[0] !== Type.Volley) continue;
  test(`client: ${f.name}: is put together from packets`, () => {
    const [, channel, seq, tick, packets] = f.value;
    assert.equal(hex(volley(channel, seq, tick, meaning(packets).map(encode))), f.hex);
  });
}

for (const f of golden.wide) {
  test(`wide: ${f.name}: decodes`, () => {
    assert.deepEqual(decode(bytes(f.hex)), meaning(f.value));
    if (f.from === "server") assert.equal(parse(bytes(f.hex)).type, f.value[0]);
  });
}

// What the client does not check: the server has done so, and nothing bad comes of it.
const lenient = /not UTF-8|overlong|surrogate|cut within a character|float|timestamp with/;

for (const f of golden.bad) {
  if (f.layer !== "msgpack" || lenient.test(f.name)) continue;
  test(`bad: ${f.name}: does not decode`, () => assert.throws(() => decode(bytes(f.hex))));
}
test("bad: binary, numbers and nil are no frames for us either", () => {
  for (const f of golden.bad.filter((f) => / no frame$/.test(f.name))) {
    assert.throws(() => parse(bytes(f.hex)), { code: 4000 }, f.name);
  }
});
