// The bench's side of a server: lines of JSON in, lines of JSON out, as bench/wire.go has them.
import { createInterface } from "node:readline";
import { createHistogram } from "node:perf_hooks";

const percentiles = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100];

// Meter counts ticks. It begins anew with each window.
export class Meter {
  #late = createHistogram();
  #steps = 0;
  #skipped = 0;

  // tick takes down one that came late by so many ms.
  tick(late) {
    this.#steps++;
    this.#late.record(Math.max(1, Math.round(late * 1e6)));
  }

  skip(n) {
    this.#skipped += n;
  }

  reset() {
    this.#late.reset();
    this.#steps = this.#skipped = 0;
  }

  // report is what the bench calls a serverReport.
  report() {
    const r = { at: Number(process.hrtime.bigint()), steps: this.#steps, skipped: this.#skipped };
    if (this.#steps > 0) {
      const us = (p) => (p === 0 ? this.#late.min : p === 100 ? this.#late.max : this.#late.percentile(p)) / 1e3;
      r.lateness = percentiles.map((p) => ({ p, us: us(p) }));
    }
    return r;
  }
}

// child runs a server for as long as standard input lasts. start(spec, meter) makes one that listens: it has addr, and
// broadcast(burst, window) if it knows how.
export function child(start) {
  const meter = new Meter();
  const answer = (o) => process.stdout.write(JSON.stringify(o) + "\n");
  let server;

  const begin = async (spec) => {
    if (spec.tls || spec.transport === "tcp") throw new Error("this server is measured over WebSocket without TLS");
    server = await start(spec, meter);
    return { addr: server.addr };
  };

  const obey = (c) => {
    switch (c.do) {
      case "mark": {
        const r = meter.report();
        if (c.reset) meter.reset();
        return { server: r };
      }
      case "allocs": // Node does not count objects
        return { server: {} };
      case "settle":
        globalThis.gc?.();
        return { server: meter.report() };
      case "broadcast":
        server.broadcast(c.burst ?? 0, c.window ?? 0);
        return {};
      default:
        return { err: `this server does not know ${c.do}` };
    }
  };

  let lines = Promise.resolve(); // one after the other
  const input = createInterface({ input: process.stdin });
  input.on("line", (line) => {
    lines = lines.then(async () => {
      const o = JSON.parse(line);
      answer(server ? obey(o) : await begin(o));
    }).catch((e) => answer({ err: String(e?.message ?? e) }));
  });
  input.on("close", () => process.exit(0));
}

// listen opens spec.addr on a Node HTTP server and returns where that is.
export function listen(http, spec) {
  const { host, port } = hostPort(spec.addr);
  if (spec.reuse_port && !canShare) {
    throw new Error("several processes on a port need Node 23.1; measure fewer connections, or let a process open more files");
  }
  return new Promise((resolve, reject) => {
    http.once("error", reject);
    http.listen({ host, port, backlog: 4096, reusePort: spec.reuse_port || undefined }, () => {
      const a = http.address();
      resolve(a.family === "IPv6" ? `[${a.address}]:${a.port}` : `${a.address}:${a.port}`);
    });
  });
}

const [major, minor] = process.versions.node.split(".").map(Number);
const canShare = major > 23 || (major === 23 && minor >= 1);

// hostPort takes "127.0.0.1:0" or "[::1]:0" apart.
export function hostPort(addr) {
  const i = addr.lastIndexOf(":");
  return { host: addr.slice(0, i).replace(/^\[|\]$/g, ""), port: Number(addr.slice(i + 1)) };
}
