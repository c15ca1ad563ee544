import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Code, codeName, reconnectRule } from "../.build/src/codes.js";

const page = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
const rows = [...page.matchAll(/^\| (\d{4}) \| ([\w-]+) \| ([\w, ]+) \|.*\| (\S+) \|$/gm)];

test("the codes are those of docs/protocol.md", () => {
  assert.ok(rows.length > 30);
  assert.deepEqual(
    rows.map(([, code, name]) => [Number(code), name]),
    Object.values(Code).map((code) => [code, codeName(code)]),
  );
});

for (const [, code, name, where, rule] of rows) {
  if (!where.includes("close")) continue;
  test(`after ${name}: ${rule}`, () => assert.equal(reconnectRule(Number(code)), rule));
}

test("unknown codes", () => {
  assert.equal(codeName(4099), "unknown");
  for (const [code, rule] of [[4000, "no"], [4010, "no"], [4099, "no"], [1006, "later"], [1012, "later"], [3000, "later"], [4200, "later"]]) {
    assert.equal(reconnectRule(code), rule, String(code));
  }
});
