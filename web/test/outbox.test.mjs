import assert from "node:assert/strict";
import { test } from "node:test";
import { overhead } from "../.build/src/frames.js";
import { Outbox } from "../.build/src/outbox.js";
import { limits } from "./server.mjs";

const roomy = { packets: 1000, bytes: 1e6 };
const packet = (size) => new Uint8Array(size);
const sizes = (batch) => batch && [batch.seq, ...batch.packets.map((p) => p.length)];

test("packets are numbered from 1 and taken once", () => {
  const outbox = new Outbox(limits(), roomy);
  assert.deepEqual([outbox.last, outbox.unsent], [0, 1]);
  assert.equal(outbox.take(), undefined);
  assert.equal(outbox.push(packet(5), 4), 1);
  assert.equal(outbox.push(packet(6), 4), 2);
  assert.deepEqual(sizes(outbox.take()), [1, 5, 6]);
  assert.equal(outbox.take(), undefined);
  assert.equal(outbox.push(packet(7), 4), 3);
  assert.deepEqual(sizes(outbox.take()), [3, 7]);
  assert.deepEqual([outbox.last, outbox.unsent], [3, 4]);
});

test("a frame holds no more than its packets, bytes and values", () => {
  const byPackets = new Outbox(limits({ packets: 2 }), roomy);
  for (let i = 0; i < 3; i++) byPackets.push(packet(1), 1);
  assert.deepEqual([sizes(byPackets.take()), sizes(byPackets.take())], [[1, 1, 1], [3, 1]]);

  const byBytes = new Outbox(limits({ frame: overhead.bytes + 10 }), roomy);
  for (const size of [10, 4, 6, 1]) byBytes.push(packet(size), 1);
  assert.deepEqual([sizes(byBytes.take()), sizes(byBytes.take()), sizes(byBytes.take())], [[1, 10], [2, 4, 6], [4, 1]]);

  const byValues = new Outbox(limits({ elements: overhead.elements + 9 }), roomy);
  for (let i = 0; i < 3; i++) byValues.push(packet(1), 4);
  assert.deepEqual([sizes(byValues.take()), sizes(byValues.take())], [[1, 1, 1], [3, 1]]);
});

test("what is acknowledged is forgotten, in any portion", () => {
  const outbox = new Outbox(limits(), { packets: 3, bytes: 1e6 });
  for (let i = 0; i < 3; i++) outbox.push(packet(1), 1);
  outbox.take();
  outbox.trim(0);
  assert.throws(() => outbox.push(packet(1), 1), { kind: "full" });
  outbox.trim(2);
  outbox.trim(1); // an old acknowledgement changes nothing
  assert.equal(outbox.push(packet(2), 1), 4);
  assert.equal(outbox.push(packet(2), 1), 5);
  assert.throws(() => outbox.push(packet(2), 1), /3 packets \(5 bytes\) are unacknowledged/);
  assert.deepEqual(sizes(outbox.take()), [4, 2, 2]);
  outbox.trim(5);
  assert.deepEqual([outbox.last, outbox.unsent], [5, 6]);
});

test("bytes are bounded, but one packet always fits", () => {
  const outbox = new Outbox(limits(), { packets: 10, bytes: 100 });
  outbox.push(packet(150), 1);
  assert.throws(() => outbox.push(packet(1), 1), { kind: "full" });
  outbox.take();
  outbox.trim(1);
  outbox.push(packet(60), 1);
  outbox.push(packet(40), 1);
  assert.throws(() => outbox.push(packet(1), 1), { kind: "full" });
});
