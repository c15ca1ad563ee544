// What the tests of socket.io-client share. npm_test.go starts the servers, runs run.mjs and reads what it prints.
import assert from "node:assert/strict";
import net from "node:net";
import { once } from "node:events";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../web/", import.meta.url));
const { io, Manager } = require("socket.io-client");
const msgpack = require("socket.io-msgpack-parser");

/** parser ("default" or "msgpack"), transports, and servers: their URLs by name. */
export const env = JSON.parse(process.env.VOLLEY_SOCKETIO);
export const upgrades = env.transports.length === 2;
export const packed = env.parser === "msgpack";

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(condition, what, ms = 15_000) {
  for (const end = performance.now() + ms; !(await condition()); await sleep(5)) {
    if (performance.now() > end) assert.fail(`never: ${what instanceof Function ? what() : what}`);
  }
}

/** Waits for an event and returns its arguments. */
export function event(emitter, name, ms = 15_000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`never: event ${name}`)), ms);
    emitter.once(name, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}

let sockets = [];
let proxies = [];

/** A client's options, with those that every client of this run has. */
export function options(more = {}) {
  const { server, at, ...rest } = more;
  return {
    transports: env.transports,
    ...(packed && { parser: msgpack }),
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 100,
    randomizationFactor: 0,
    ...rest,
  };
}

const address = ({ server = "main", at } = {}) => at ?? env.servers[server];

/** A new client, with a connection of its own. */
export function client(nsp = "/", more = {}) {
  const socket = io(address(more) + nsp, options(more));
  sockets.push(socket);
  return socket;
}

/** A new client as in the first lines of every tutorial. */
export function plainClient(url) {
  const socket = io(url);
  sockets.push(socket);
  return socket;
}

/** The same with a parser and transports of its own. */
export const makeClient = (url, nsp, { parser, ...rest }) =>
  client(nsp, { at: url, ...rest, parser: parser === "msgpack" ? msgpack : undefined });

/** A connection on which several namespaces are to be. */
export function connection(more = {}) {
  const manager = new Manager(address(more), options(more));
  return (nsp, own) => {
    const socket = manager.socket(nsp, own);
    sockets.push(socket);
    return socket;
  };
}

/** Waits until a client is connected, and on the transport that it is to end up with. */
export async function ready(socket, transport = env.transports.at(-1)) {
  if (!socket.connected) {
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("never: connect")), 15_000);
      socket.once("connect", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  await until(() => socket.io.engine.transport?.name === transport, "the last transport");
  return socket;
}

export const connect = (nsp, more) => ready(client(nsp, more));

/** Several clients of one namespace. */
export const several = (n, nsp, more) => Promise.all(Array.from({ length: n }, () => connect(nsp, more)));

/** All that a client hears of one event. */
export function inbox(socket, name) {
  const list = [];
  socket.on(name, (...args) => list.push(args));
  return list;
}

/** A round trip: what the server sent before its answer has arrived. */
export const settle = async (...list) => {
  for (const socket of list) await socket.timeout(15_000).emitWithAck("ack");
};

/** A value with its binary parts as {bin: hex}, to be compared whatever JavaScript type they have. */
export function plain(v) {
  if (v instanceof ArrayBuffer) return { bin: Buffer.from(v).toString("hex") };
  if (ArrayBuffer.isView(v)) return { bin: Buffer.from(v.buffer, v.byteOffset, v.byteLength).toString("hex") };
  if (Array.isArray(v)) return v.map(plain);
  if (v && Object.getPrototypeOf(v) === Object.prototype) {
    return Object.fromEntries(Object.entries(v).map(([k, e]) => [k, plain(e)]));
  }
  return v;
}

/** What the server has noted under a key, when it has; undefined if nothing. */
export async function noted(key, more) {
  const res = await fetch(`${address(more)}/note?key=${encodeURIComponent(key)}`);
  return res.status === 200 ? res.json() : undefined;
}

/** How a socket ended, as the server tells it: its reason, and its rooms just before. */
export async function ended(id, more) {
  let got;
  await until(async () => (got = await noted("ended " + id, more)) !== undefined, `the end of ${id} at the server`);
  return got;
}

let names = 0;
/** A dynamic namespace that no other test uses. */
export const fresh = (prefix = "dyn") => `/${prefix}-${process.pid}-${names++}`;

/** A proxy to a server, whose connections can be cut. */
export class Proxy {
  links = new Set();
  refuses = false; // new connections
  stalled = false; // nothing comes through any more

  static async to(more) {
    const p = new Proxy();
    const { hostname, port } = new URL(address(more));
    p.server = net.createServer((near) => p.#accept(near, net.connect(port, hostname))).listen(0, "127.0.0.1");
    await once(p.server, "listening");
    p.url = `http://127.0.0.1:${p.server.address().port}`;
    proxies.push(p);
    return p;
  }

  #accept(near, far) {
    const link = { near, far, left: Infinity };
    this.links.add(link);
    for (const [from, to] of [[near, far], [far, near]]) {
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("data", (bytes) => {
        if (this.stalled) return;
        to.write(bytes.subarray(0, link.left));
        link.left -= bytes.length;
        if (link.left <= 0) this.#cut(link);
      });
      from.on("close", () => this.stalled || this.#cut(link));
    }
    if (this.refuses) this.#cut(link);
  }

  #cut(link) {
    if (!this.links.delete(link)) return;
    link.near.destroy();
    link.far.destroy();
  }

  /** Cuts all connections. */
  cut() {
    for (const link of [...this.links]) this.#cut(link);
  }

  /** Cuts all connections after so many more bytes, in the middle of something. */
  cutAfter(bytes) {
    for (const link of this.links) link.left = bytes;
  }

  /** Cuts all connections and lets no new ones through until up. */
  down() {
    this.refuses = true;
    this.cut();
  }

  up() {
    this.refuses = false;
  }

  close() {
    this.cut();
    this.server.close();
  }
}

/** Prints a last line and ends the process when it has gone. */
export const finish = (v) => process.stdout.write(JSON.stringify(v) + "\n", () => process.exit(0));

const tests = [];

/** Adds a test. */
export const test = (name, fn) => tests.push({ name, fn });

/** Runs the tests one after the other and prints a line of JSON about each. */
export async function run() {
  for (const { name, fn } of tests.filter(({ name }) => !env.only?.length || env.only.some((part) => name.includes(part)))) {
    const began = performance.now();
    let error = "";
    let timer;
    try {
      const limit = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("the test takes too long")), 40_000)));
      await Promise.race([fn(), limit]);
    } catch (e) {
      error = String(e.stack ?? e);
    }
    clearTimeout(timer);
    for (const socket of sockets) socket.disconnect();
    for (const p of proxies) p.close();
    sockets = [];
    proxies = [];
    console.log(JSON.stringify({ name, error, ms: Math.round(performance.now() - began) }));
  }
  finish({ done: true });
}

process.on("uncaughtException", (e) => {
  console.log(JSON.stringify({ name: "uncaught", error: String(e.stack ?? e) }));
});
