// Acknowledgements, both ways.
import assert from "node:assert/strict";
import { connect, ended, event, fresh, inbox, noted, plain, settle, several, sleep, test, until } from "./harness.mjs";

test("acknowledgements by the server", async () => {
  const socket = await connect();
  const call = (name, ...args) => new Promise((resolve) => socket.emit(name, ...args, (...got) => resolve(got)));
  assert.deepEqual(await call("ack"), []);
  assert.deepEqual(await call("ack", 1, "two", null), [1, "two", null]);
  const nested = [{ a: [Buffer.from("x")] }, Buffer.from("y")];
  assert.deepEqual(plain(await call("ack", ...nested)), plain(nested));
  assert.deepEqual(await call("later", 7), [7]);
  const many = await Promise.all(Array.from({ length: 50 }, (_, i) => socket.emitWithAck("ack", i)));
  assert.deepEqual(many, Array.from({ length: 50 }, (_, i) => i));
});

test("an acknowledgement comes once", async () => {
  const socket = await connect();
  const got = [];
  socket.emit("twice", (v) => got.push(v));
  await settle(socket);
  assert.deepEqual(got, [1]);
});

test("time-outs of the client", async () => {
  const socket = await connect();
  const [err] = await new Promise((resolve) => socket.timeout(200).emit("silent", (...got) => resolve(got)));
  assert.equal(err.message, "operation has timed out");
  await assert.rejects(socket.timeout(200).emitWithAck("silent"), /timed out/);
  const [none, value] = await new Promise((resolve) => socket.timeout(15_000).emit("ack", 5, (...got) => resolve(got)));
  assert.equal(none, null);
  assert.equal(value, 5);
});

test("requests with a result", async () => {
  const socket = await connect();
  assert.equal(await socket.emitWithAck("sum", { a: 2, b: 40 }), 42);
  assert.deepEqual(await socket.emitWithAck("sum", { a: 2, b: -1 }), { error: "b is negative" });
  const bad = await socket.emitWithAck("sum", { a: "two" });
  assert.match(bad.error, /./);
  socket.emit("sum", { a: 1, b: 1 }); // without waiting
  await settle(socket);
});

test("the server asks", async () => {
  const socket = await connect();
  const asked = inbox(socket, "asked");
  socket.on("join up", (a, b, answer) => answer(a + b, { bin: Buffer.from("ok") }, [a]));
  socket.on("say nothing", (answer) => answer());
  socket.emit("ask", 15_000, "join up", "x", "y");
  socket.emit("ask", 15_000, "say nothing");
  await until(() => asked.length === 2, "both answers");
  asked.sort((p, q) => q.length - p.length); // they may come in any order
  assert.deepEqual(plain(asked), [["", "xy", { bin: { bin: "6f6b" } }, ["x"]], [""]]);
});

test("the server asks with binary", async () => {
  const socket = await connect();
  const asked = inbox(socket, "asked");
  socket.on("reverse", (b, answer) => answer(Buffer.from(b).reverse()));
  socket.emit("ask", 15_000, "reverse", Buffer.from([1, 2, 3]));
  await until(() => asked.length === 1, "the answer");
  assert.deepEqual(plain(asked), [["", { bin: "030201" }]]);
});

test("time-outs of the server", async () => {
  const socket = await connect();
  const asked = inbox(socket, "asked");
  let late;
  socket.on("wait", (answer) => (late = answer));
  socket.emit("ask", 200, "wait");
  await until(() => asked.length === 1, "the time-out");
  assert.deepEqual(asked, [["socketio: no acknowledgement in time"]]);
  late("too late");
  await settle(socket);
  assert.equal(asked.length, 1);
});

test("the server asks one that goes", async () => {
  const socket = await connect();
  const id = socket.id;
  const question = event(socket, "wait");
  socket.emit("ask", 15_000, "wait");
  await question;
  socket.disconnect();
  await ended(id);
  await until(async () => (await noted("asked " + id)) !== undefined, "the answer to who asked");
  assert.equal(await noted("asked " + id), "socketio: the socket is disconnected");
});

test("broadcast with acknowledgements", async () => {
  const [a, b, c] = await several(3, fresh());
  for (const [i, socket] of [a, b, c].entries()) socket.on("question", (q, answer) => answer(q + i, Buffer.from([i])));
  const answers = inbox(a, "answers");
  a.emit("ask all", 15_000, "?");
  await until(() => answers.length === 1, "the answers");
  const [err, list] = answers[0];
  assert.equal(err, "");
  assert.deepEqual(plain(list).sort(), plain([["?0", bin(0)], ["?1", bin(1)], ["?2", bin(2)]]));
});

const bin = (i) => Buffer.from([i]);

test("broadcast with acknowledgements that do not all come", async () => {
  const [a, b, c] = await several(3, fresh());
  for (const [i, socket] of [a, b].entries()) socket.on("question", (q, answer) => answer(q + i));
  const answers = inbox(a, "answers");
  a.emit("ask all", 300, "?");
  await until(() => answers.length === 1, "the time-out");
  assert.equal(answers[0][0], "socketio: no acknowledgement in time");
  assert.deepEqual(answers[0][1].sort(), [["?0"], ["?1"]]);

  c.once("question", () => c.disconnect());
  a.emit("ask all", 15_000, "!");
  await until(() => answers.length === 2, "the answers of those who stay");
  assert.equal(answers[1][0], "");
  assert.deepEqual(answers[1][1].sort(), [["!0"], ["!1"]]);
});

test("broadcast with acknowledgements to a room", async () => {
  const [a, b, c] = await several(3, fresh());
  for (const [i, socket] of [a, b, c].entries()) socket.on("question", (q, answer) => answer(q + i));
  await b.emitWithAck("join", ["r"]);
  await c.emitWithAck("join", ["r"]);
  const answers = inbox(a, "answers");
  a.emit("ask all", 15_000, "?", "r");
  a.emit("ask all", 15_000, "?", "nobody is there");
  await until(() => answers.length === 2, "the answers");
  answers.sort((p, q) => q[1].length - p[1].length);
  assert.deepEqual(answers.map(([err, list]) => [err, list.sort()]), [["", [["?1"], ["?2"]]], ["", []]]);
});

test("acknowledgements that nobody asked for", async () => {
  const socket = await connect();
  socket.io._packet({ type: 3, nsp: "/", id: 12345, data: ["?"] });
  await settle(socket);
  await sleep(1);
  assert.ok(socket.connected);
});
