// The bundle that is shipped, over real sockets.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { Code, connect, VolleyError } from "../dist/volley.js";
import { startServer } from "./server.mjs";

let server;
before(async () => (server = await startServer()));
after(() => server.close());

for (const [name, options] of [
  ["the package ws, given", { WebSocket }],
  ["whatever WebSocket is found", {}],
]) {
  test(`a conversation over ${name}`, async () => {
    const client = await connect(server.url, options);
    assert.equal(client.sid, "s1");
    const room = await client.joinOrCreate("echo", { name: "Ann" });
    const heard = [];
    room.onAny((event, payload, { ack }) => heard.push([event, payload, ack]));
    room.emit("move", { DY: 0.5 });
    room.emit("bytes", new Uint8Array([1, 2, 3]));
    assert.deepEqual(await room.request("echo", { n: 2 ** 40 }), { n: 2 ** 40 });
    await assert.rejects(room.request("fail", null), { kind: "remote", message: "it failed" });
    assert.deepEqual(heard, [
      ["hello", { name: "Ann" }, 0],
      ["move", { DY: 0.5 }, 3],
      ["bytes", new Uint8Array([1, 2, 3]), 3],
    ]);
    assert.equal(room.ack, 4);
    assert.ok((await client.ping()) >= 0);
    assert.ok(client.rtt < 1000);
    await room.leave();
    assert.deepEqual(await room.left, { code: Code.Left, reason: "" });
    await assert.rejects(client.join("nothing"), { kind: "refused", code: Code.NoSuchKind });
    client.close();
    assert.equal((await client.closed).code, Code.Normal);
  });
}

test("the server's close code arrives", async () => {
  const client = await connect(server.url, { WebSocket, reconnect: false });
  const room = await client.join("echo");
  for (const socket of server.sockets) socket.close(1001, "bye");
  assert.deepEqual(await client.closed, {
    code: 1001,
    name: "going-away",
    reason: "bye",
    reconnect: "later",
    delay: 0,
  });
  assert.deepEqual(await room.left, { code: 1001, reason: "bye" });
});

test("nobody listens there", async () => {
  await assert.rejects(connect("ws://127.0.0.1:1/volley", { WebSocket }), (error) => {
    assert.ok(error instanceof VolleyError);
    assert.equal(error.kind, "connect");
    assert.equal(error.code, 1006);
    assert.match(error.message, /ECONNREFUSED/);
    return true;
  });
});
