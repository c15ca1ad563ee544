// What is shipped: dist/, which `npm test` has just built afresh into .build/dist.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { differences } from "../build.mjs";
import * as volley from "../dist/volley.js";

const path = (name) => new URL(`../${name}`, import.meta.url);
const bundle = readFileSync(path("dist/volley.js"), "utf8");

test("dist/ is built from src/", () => {
  assert.deepEqual(differences(path(".build/dist").pathname, path("dist").pathname), [], "run npm run build");
});

test("the bundle is under 15 kB compressed", () => {
  const size = gzipSync(bundle, { level: 9 }).length;
  assert.ok(size < 15_000, `${size} bytes`);
});

test("the bundle needs no other module, and says what it is", () => {
  assert.doesNotMatch(bundle, /\bimport\s*["'{*]|\bfrom\s*["']|import\(["']|\brequire\(/);
  assert.match(bundle, /^\/\* volley-client, MIT licence \*\//);
});

test("the public names", () => {
  assert.deepEqual(Object.keys(volley).sort(), ["Client", "Code", "Room", "VolleyError", "codeName", "connect", "reconnectRule"]);
});

test("the types hide what is internal", () => {
  const types = readdirSync(path("dist")).filter((name) => name.endsWith(".d.ts"));
  assert.ok(types.includes("volley.d.ts"));
  for (const name of types) {
    assert.doesNotMatch(readFileSync(path(`dist/${name}`), "utf8"), /@internal|\b_\w+\(|@msgpack/, name);
  }
});

test("versions are pinned, and the lock file names no registry", () => {
  const { devDependencies } = JSON.parse(readFileSync(path("package.json"), "utf8"));
  for (const [name, version] of Object.entries(devDependencies)) assert.match(version, /^\d+\.\d+\.\d+$/, name);
  assert.doesNotMatch(readFileSync(path("package-lock.json"), "utf8"), /"resolved"|https?:\/\/[^"]*\.tgz/);
});
