// Three clients, unmodified, over each way of travelling. TUTORIAL is the server's address.
const { test } = require("node:test");
const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const path = require("node:path");
const { io } = require("socket.io-client");

const address = process.env.TUTORIAL;

// arrive connects a client that writes down what it hears.
async function arrive(transports) {
  const socket = io(address, { transports, forceNew: true, reconnection: false });
  const heard = [];
  let changed = () => {};
  socket.onAny((...what) => {
    heard.push(what);
    changed();
  });
  const until = async (length) => {
    while (heard.length < length) await new Promise((resolve) => (changed = resolve));
  };
  await until(1);
  return { socket, heard, until };
}

for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
  test(transports.join(", then "), { timeout: 30_000 }, async () => {
    const clients = [await arrive(transports), await arrive(transports), await arrive(transports)];
    for (const { socket, heard } of clients) {
      assert.deepEqual(heard.splice(0), [["greeting", `Hello, ${socket.id}`]]);
      socket.emit("thankyou");
    }
    const [ann, ben, cat] = clients;
    ann.socket.emit("alpha");
    ann.socket.emit("beta");
    ann.socket.emit("gamma");
    await Promise.all([ann.until(2), ben.until(2), cat.until(2)]);
    ben.socket.emit("beta"); // what should not have come would have come before this
    await Promise.all([ann.until(3), ben.until(3), cat.until(3)]);

    const five = { data: 5 };
    const [own, all, others] = [["updateClient", five], ["updateAllClients", five], ["updateAllExceptOne", five]];
    assert.deepEqual(ann.heard, [own, all, all]);
    assert.deepEqual(ben.heard, [all, others, all]);
    assert.deepEqual(cat.heard, [all, others, all]);

    const last = transports.at(-1);
    for (const { socket } of clients) {
      const { engine } = socket.io;
      if (engine.transport.name !== last) await once(engine, "upgrade");
      assert.equal(engine.transport.name, last);
      socket.disconnect();
    }
  });
}

test("the script for Node", { timeout: 30_000 }, async () => {
  const script = spawn(process.execPath, [path.join(__dirname, "client.js"), address], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  for await (const chunk of script.stdout) {
    said += chunk;
    if (said.includes("updateAllClients: 5\n")) break;
  }
  script.kill();
  assert.match(said, /^greeting: Hello, \S+\nupdateClient: 5\nupdateAllClients: 5\n$/);
});
