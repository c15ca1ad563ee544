// A scripted WebSocket and a clock under the test's control. The frames of the script are written and
// read with the msgpack library as it comes, not with the client's own codec.
import assert from "node:assert/strict";
import { decode, encode } from "@msgpack/msgpack";
import { connect } from "../.build/src/connect.js";
import { welcome } from "./server.mjs";

/** A class of WebSockets whose instances do nothing by themselves; `last()` is the newest. */
export function fakeWebSocket() {
  let last;
  const all = [];
  class FakeWebSocket {
    /** What the client sent, decoded. */
    sent = [];
    closed = undefined;

    constructor(url) {
      this.url = url;
      all.push((last = this));
    }
    send(data) {
      if (this.closed) throw new Error("sent on a closed socket");
      this.sent.push(decode(data));
    }
    close(code, reason) {
      if (code !== 1000 && !(code >= 3000 && code < 5000)) throw new Error(`InvalidAccessError: ${code}`);
      this.closed ??= { code, reason };
    }

    // The script's side.
    receive(...frames) {
      for (const frame of frames) this.receiveBytes(encode(frame));
    }
    receiveBytes(bytes) {
      this.onmessage?.({ data: new Uint8Array(bytes).buffer });
    }
    /** The socket opens, and the server answers with WELCOME; returns the options of HELLO. */
    welcome(facts = {}) {
      this.onopen({});
      const [type, , options] = this.sent.shift();
      if (type !== 1) throw new Error(`the first frame is of type ${type}`);
      this.receive([2, 1, welcome(facts)]);
      // The first word on a resumed session, so that the old token ends.
      if (facts.resumed && options.resume && !this.closed) assert.deepEqual(this.sent.shift(), [7, 0]);
      return options;
    }
    drop(code = 1006, reason = "") {
      this.onclose?.({ code, reason });
    }
    /** What was sent since the last call. */
    take() {
      return this.sent.splice(0);
    }
  }
  return { WebSocket: FakeWebSocket, last: () => last, all };
}

/** A client that has been welcomed, and its socket. `facts` override those of WELCOME. It does not come back if not told to. */
export async function connected(facts = {}, options = {}) {
  const { WebSocket, last, all } = fakeWebSocket();
  const pending = connect("ws://test/volley", { WebSocket, reconnect: false, ...options });
  await microtasks();
  const socket = last();
  socket.welcome(facts);
  const client = await pending;
  return { client, socket, last, all };
}

/** A client in a room on channel 0, at tick 100. */
export async function joined(facts = {}, roomFacts = {}, options = {}) {
  const all = await connected(facts, options);
  const pending = all.client.joinOrCreate("pong", { name: "Ann" });
  all.socket.receive(joinedFrame(0, roomFacts));
  const room = await pending;
  all.socket.take();
  return { ...all, room };
}

export function joinedFrame(channel, facts = {}) {
  return [4, channel, { room: "r1", kind: "pong", client: 7, tick: 100, rate: 60, acks: 1000, ...facts }];
}

/** Lets everything happen that needs no timer. */
export async function microtasks() {
  for (let i = 0; i < 20; i++) await null;
}

/** Lets the held frames of a new room go: that is one macrotask away. */
export const turn = () => new Promise((resolve) => setTimeout(resolve, 2));

/** Stops time for one test. (Not with mock.timers: Node 18's are not up to it.) */
export function stopTime(t) {
  let time = 1000;
  let last = 0;
  const timers = new Map();
  t.mock.method(performance, "now", () => time);
  t.mock.method(globalThis, "setTimeout", (run, ms = 0) => (timers.set(++last, { at: time + ms, run }), last));
  t.mock.method(globalThis, "clearTimeout", (id) => timers.delete(id));
  const fire = () => {
    for (const [id, timer] of [...timers].filter(([, { at }]) => at <= time).sort(([, a], [, b]) => a.at - b.at)) {
      if (timers.delete(id)) timer.run();
    }
  };
  return {
    async advance(ms) {
      for (let i = 0; i < ms; i++) {
        time++;
        fire();
      }
      await microtasks();
    },
    /** Time passes and no timer runs, as in a page that sleeps; they run at its end. */
    async sleep(ms) {
      time += ms;
      fire();
      await microtasks();
    },
  };
}
