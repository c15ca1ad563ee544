import assert from "node:assert/strict";
import { test } from "node:test";
import { connected, joined, joinedFrame, microtasks, turn } from "./fake.mjs";
import { welcome } from "./server.mjs";

// Each must close the client with the code, and throw nothing into the socket.
const hostile = {
  "not an array": [4000, { a: 1 }],
  "an empty array": [4000, []],
  "a type that is no number": [4000, ["0"]],
  "a VOLLEY that is too short": [4000, [0, 0, 101]],
  "packets that are no array": [4000, [0, 0, 101, 0, { length: 1 }]],
  "a packet that is no array": [4000, [0, 0, 101, 0, [1]]],
  "a packet that is too short": [4000, [0, 0, 101, 0, [[1]]]],
  "an event that is a map": [4000, [0, 0, 101, 0, [[{}, 1]]]],
  "an event of -3": [4000, [0, 0, 101, 0, [[-3, 1]]]],
  "an event beyond the table": [4002, [0, 0, 101, 0, [["state", 1], [9, 1]]]],
  "a request with id 0": [4000, [0, 0, 101, 0, [["ask", 1, 0]]]],
  "a request with id nil": [4000, [0, 0, 101, 0, [["ask", 1, null]]]],
  "a reply without id": [4000, [0, 0, 101, 0, [[-1, 1]]]],
  "a failure without text": [4000, [0, 0, 101, 0, [[-2, 1, 1]]]],
  "a tick that goes back": [4002, [0, 0, 99, 0, []]],
  "a tick that is no integer": [4000, [0, 0, 100.5, 0, []]],
  "a negative ack": [4000, [0, 0, 101, -1, []]],
  "an ack of what was never sent": [4002, [0, 0, 101, 1, []]],
  "a VOLLEY on a channel without a room": [4015, [0, 1, 101, 0, []]],
  "a LEFT on a channel without a room": [4015, [6, 1, 4100, ""]],
  "a NOTICE on a channel without a room": [4015, [10, 1, 4005, "", 1]],
  "a JOINED that nobody waits for": [4015, joinedFrame(1)],
  "a JOINED twice": [4015, joinedFrame(0)],
  "a second WELCOME": [4002, [2, 1, welcome()]],
  "a LEFT without a reason": [4000, [6, 0, 4100]],
  "a PING without a stamp": [4000, [7]],
  "NAMES with a gap": [4002, [9, 3, ["x"]]],
  "NAMES that rename": [4002, [9, 0, ["mvoe"]]],
  "NAMES that are numbers": [4000, [9, 2, [1]]],
  "BYE without a delay": [4000, [11, 1001, ""]],
  "a frame for servers": [4002, [5, 0]],
  "HELLO": [4002, [1, 1, {}]],
};

for (const [name, [code, frame]] of Object.entries(hostile)) {
  test(`${name} closes with ${code}`, async () => {
    const { client, socket, room } = await joined();
    await turn();
    const heard = [];
    room.onAny((event) => heard.push(event));
    socket.receive(frame);
    const info = await client.closed;
    assert.equal(info.code, code);
    assert.equal(info.reconnect, "no");
    assert.match(info.reason, /^bad frame from the server: /);
    assert.equal(socket.closed.code, code);
    assert.deepEqual(heard, [], "a bad frame is refused as a whole");
    assert.equal((await room.left).code, code);
    await microtasks();
  });
}

for (const [name, bytes] of Object.entries({
  "nothing": [],
  "half a value": [0x92, 0x07],
  "two values": [0x92, 0x07, 0x01, 0xc0],
  "an array bomb": [0xdd, 0xff, 0xff, 0xff, 0xff],
  "a bin bomb": [0x92, 0x07, 0xc6, 0x40, 0, 0, 0],
  "0xc1": [0xc1],
  "an extension": [0x92, 0x07, 0xd4, 0x05, 0x00],
  "deep nesting": [...new Array(5000).fill(0x91), 0xc0],
})) {
  test(`bytes: ${name} close with 4000`, async () => {
    const { client, socket } = await connected();
    socket.receiveBytes(bytes);
    assert.equal((await client.closed).code, 4000);
  });
}

test("a text message closes with 1003, told to the server as 4000", async () => {
  const { client, socket } = await connected();
  socket.onmessage({ data: "hello" });
  assert.equal((await client.closed).code, 1003);
  assert.equal(socket.closed.code, 4000);
});

test("frames before WELCOME", async () => {
  for (const frame of [[9, 0, ["a"]], [0, 0, 1, 0, []], joinedFrame(0), [6, 0, 4100, ""], [8, 1]]) {
    const { fakeWebSocket } = await import("./fake.mjs");
    const { connect } = await import("../.build/src/connect.js");
    const { WebSocket, last } = fakeWebSocket();
    const pending = connect("ws://test", { WebSocket });
    await microtasks();
    last().onopen({});
    last().receive(frame);
    await assert.rejects(pending, { kind: "connect", code: 4002 }, `frame type ${frame[0]}`);
  }
});

test("WELCOME and JOINED without their facts", async () => {
  const { client, socket } = await connected();
  const join = client.join("pong");
  const { acks, ...facts } = joinedFrame(0)[2];
  socket.receive([4, 0, facts]);
  await assert.rejects(join, { kind: "closed", code: 4000 });
  assert.match((await client.closed).reason, /acks is wrong \(missing\)/);
});

test("frames of later versions are ignored, and what they add to ours", async () => {
  const { client, socket, room } = await joined();
  await turn();
  const heard = [];
  room.onAny((event, payload) => heard.push([event, payload]));
  socket.receive([14], [200, { a: 1 }], [0, 0, 101, 0, [["state", 1]], "more", 5], [9, 2, ["seat"], 1], [8, 5, 5]);
  assert.deepEqual(heard, [["state", 1]]);
  assert.equal(room.joined, true);
  client.close();
});
