import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff } from "../.build/src/backoff.js";

test("the limit doubles with each try and ends at the most", () => {
  const limits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 50, 5000].map((tries) => backoff(tries, 1, 500, 30_000));
  assert.deepEqual(limits, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000, 30000]);
});

test("full jitter: from nothing to the limit, also at the most", () => {
  for (const tries of [0, 3, 20]) {
    const limit = backoff(tries, 1, 500, 30_000);
    assert.equal(backoff(tries, 0, 500, 30_000), 0);
    assert.equal(backoff(tries, 0.25, 500, 30_000), limit / 4);
    // As many clients as one likes: their waits are spread evenly.
    const tenths = new Array(10).fill(0);
    for (let i = 0; i < 10_000; i++) tenths[Math.floor((10 * backoff(tries, Math.random(), 500, 30_000)) / limit)]++;
    for (const n of tenths) assert.ok(n > 800 && n < 1200, `${tries} tries: ${tenths}`);
  }
});
