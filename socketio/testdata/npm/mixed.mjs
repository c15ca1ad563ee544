// The socket.io-clients of a room that has other members as well: one for each transport and parser. TestMixedRoom says when to
// tell what they heard.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { env, event, finish, inbox, makeClient, ready, until } from "./harness.mjs";

const out = (v) => console.log(JSON.stringify(v));
const nsp = `/${env.kind}/${env.room}`;
const members = [];
const errors = [];
const attempt = (promise) => promise.catch((e) => errors.push(String(e.stack ?? e)));

for (const parser of ["default", "msgpack"]) {
  for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
    const socket = makeClient(env.servers.main, nsp, { parser, transports, auth: { name: "js" } });
    const m = { socket, heard: inbox(socket, "shout"), answered: inbox(socket, "answered") };
    socket.on("add one", (n, answer) => answer(n + 1));
    [m.number] = await event(socket, "you");
    await ready(socket, transports.at(-1));
    members.push(m);
  }
}
out({ numbers: members.map((m) => m.number) });

await attempt(Promise.all(members.map(async ({ socket, answered }) => {
  for (let round = 0; round < env.rounds; round++) {
    for (const scope of env.scopes) socket.emit("order", { Scope: scope, Round: round });
    assert.equal(await socket.timeout(20_000).emitWithAck("double", round), 2 * round);
    socket.emit("ask me", round);
    await until(() => answered.length > round, "the room's answer");
    assert.deepEqual(answered[round].slice(0, 1), [round + 1]);
  }
  assert.deepEqual(await socket.emitWithAck("double", -1), { error: "too low" });
})));

for await (const line of createInterface({ input: process.stdin })) {
  const [low, high] = line.split(" ").map(Number);
  await attempt(Promise.all(members.map(({ number, heard }) =>
    until(() => heard.length >= (number <= 3 ? low : high), () => `${number} heard ${heard.length} of ${low} or ${high}`))));
  // A round trip more for what should not come.
  await attempt(Promise.all(members.map(({ socket }) => socket.emitWithAck("double", 1))));
  finish({ heard: Object.fromEntries(members.map((m) => [m.number, m.heard.map(([s]) => s)])), errors });
  break;
}
