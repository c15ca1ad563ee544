// Events and what they carry.
import assert from "node:assert/strict";
import { connect, inbox, packed, plain, settle, test } from "./harness.mjs";

const bytes = (...b) => Uint8Array.from(b);

const values = {
  "no arguments": [],
  "null": [null, [null], { a: null }],
  "booleans": [true, false],
  "texts": ["", "text", "ünïcode 漢字 🚀", "quote \" backslash \\ newline \n nul \u0000 separator \u001e line \u2028"],
  "texts that look like packets": ['{"_placeholder":true,"num":0}', "42[]", "b64"],
  "integers": [0, 1, -1, 127, 128, -32, -33, 255, 256, 65535, 65536, -128, -129, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32)],
  "big integers": [2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 52 + 1],
  "floats": [0.5, -0.1, Math.PI, 1e-7, 5e-324, ...(packed ? [] : [1e21, 1.5e300, Number.MAX_VALUE])], // which notepack.io garbles
  "arrays and objects": [[], {}, [[[]]], { a: { b: [{ c: null, d: [1, { e: "f" }] }] } }, { "": 1, "ü 🚀": 2, "a b": 3 }],
  "many arguments": Array.from({ length: 60 }, (_, i) => i),
  "wide arrays and objects": [Array(300).fill(7), Object.fromEntries(Array.from({ length: 300 }, (_, i) => ["k" + i, i]))],
  "a Buffer": [Buffer.from([0, 1, 2, 255])],
  "a Uint8Array": [bytes(1, 2, 3)],
  "an ArrayBuffer": [bytes(9, 8, 7).buffer],
  "a part of a buffer": [Buffer.from("0123456789").subarray(3, 6)],
  "nested binary": [
    { deep: [{ x: Buffer.from("abc"), y: [bytes(4), "s", { z: bytes(5, 6).buffer }] }] }, "between", Buffer.from("z"),
  ],
  "empty binary": [Buffer.alloc(0), [Buffer.alloc(0)]],
  "binary and unicode": ["漢字", Buffer.from("🚀"), { "ü": Buffer.from([0x1e, 0, 0xff]) }],
  "the most attachments": Array.from({ length: 10 }, (_, i) => Buffer.from([i])),
  "a long text": ["ü".repeat(100_000)],
  "a long Buffer": [Buffer.alloc(200_000, "volley")],
};

for (const [name, args] of Object.entries(values)) {
  test("echo " + name, async () => {
    const socket = await connect();
    const heard = inbox(socket, "echo");
    socket.emit("echo", ...args);
    assert.deepEqual(plain(await socket.emitWithAck("list", ...args)), plain(args), "acknowledged");
    assert.deepEqual(plain(heard), plain([args]), "emitted");
  });
}

test("undefined is null", async () => {
  const socket = await connect();
  assert.deepEqual(await socket.emitWithAck("list", undefined, [undefined]), [null, [null]]);
});

test("dates", async () => {
  const socket = await connect();
  const date = new Date(1_700_000_000_123);
  const [got] = await socket.emitWithAck("list", date);
  assert.deepEqual(got, packed ? date : date.toISOString());
});

test("what Go sends", async () => {
  const socket = await connect();
  const got = inbox(socket, "values");
  socket.emit("values");
  await settle(socket);
  assert.deepEqual(plain(got), [[
    2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 60, 0.5, 3, 1e300, "ü🚀", null, [1, 2], { k: { b: { bin: "0102" } } },
    { name: "n", list: ["x"], data: { bin: "ff" } }, { bin: "00" }, true, [],
  ]]);
});

test("event names", async () => {
  const socket = await connect();
  const heard = inbox(socket, "ünï 🚀");
  socket.emit("ünï 🚀", 1);
  socket.send("hello", { a: 1 });
  const messages = inbox(socket, "message");
  await settle(socket);
  assert.deepEqual(heard, [[1]]);
  assert.deepEqual(messages, [["hello", { a: 1 }]]);
});

test("order", async () => {
  const socket = await connect();
  const echoes = inbox(socket, "echo");
  for (let i = 0; i < 100; i++) socket.emit("echo", i, i % 7 === 0 ? Buffer.alloc(i) : null);
  await settle(socket);
  assert.deepEqual(echoes.map(([i]) => i), Array.from({ length: 100 }, (_, i) => i));
});

test("catch-all listeners", async () => {
  const socket = await connect();
  const any = [];
  const outgoing = [];
  socket.onAny((name, ...args) => any.push([name, ...args]));
  socket.onAnyOutgoing((name) => outgoing.push(name));
  socket.emit("echo", 1, Buffer.from("a"));
  socket.emit("nobody listens", 2);
  const seen = await socket.emitWithAck("seen");
  assert.deepEqual(plain(any), [["echo", 1, { bin: "61" }]]);
  assert.deepEqual(outgoing, ["echo", "nobody listens", "seen"]);
  assert.deepEqual(seen, ["echo 2", "nobody listens 1", "seen 0"]);
  assert.equal(await socket.emitWithAck("counted"), 4);
});

test("a handler that panics", async () => {
  const socket = await connect();
  socket.emit("panic");
  await settle(socket);
});

test("typed handlers", async () => {
  const socket = await connect();
  const got = inbox(socket, "typed");
  const notices = inbox(socket, "volley:notice");
  const v = { name: "ünï", list: ["a", "b"], data: Buffer.from([1, 2]), more: 1 };
  socket.emit("typed", v);
  socket.emit("typed", { name: 5 });
  socket.emit("typed", { name: "n", list: "no list" });
  socket.emit("typed");
  await settle(socket);
  assert.deepEqual(plain(got), plain([
    [{ name: "ünï", list: ["a", "b"], data: v.data }], [{ name: "", list: null, data: null }],
  ]));
  assert.equal(notices.length, 2);
  assert.equal(notices[0][0].event, "typed");
  assert.match(notices[0][0].reason, /./);
});
