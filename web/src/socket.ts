/** The part of a WebSocket that the client uses; those of browsers, Node and `ws` have it. */
export interface WebSocketLike {
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

/** A class of WebSockets. */
export type WebSocketClass = new (url: string) => WebSocketLike;

/**
 * The WebSocket to use: the given one, the platform's, or the one of the package `ws`, which is
 * looked for only where the platform has none (Node before version 22).
 * @internal
 */
export async function webSocketClass(given: WebSocketClass | undefined): Promise<WebSocketClass> {
  const own = given ?? (globalThis as { WebSocket?: unknown }).WebSocket;
  if (own) return own as WebSocketClass;
  // Not a literal, so that bundlers for browsers do not look for a package that is not there.
  const name = ["w", "s"].join("");
  const module = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as { default: unknown };
  return module.default as WebSocketClass;
}

/**
 * The server's address: relative to the page if there is one, and a WebSocket's in any case.
 * @internal
 */
export function address(url: string | undefined): string {
  const page = (globalThis as { location?: { href?: string } }).location?.href;
  const full = page ? new URL(url ?? "/volley", page).href : url;
  if (full === undefined) throw new TypeError("connect needs a URL outside of a page");
  return full.replace(/^http/, "ws");
}

// No reason may take more than 123 bytes of UTF-8, or `close` throws.
const fit = (reason: string) => (/^[\x20-\x7e]*$/.test(reason) ? reason.slice(0, 123) : "");

/**
 * Lets go of a socket: nothing of it is heard any more, and the server is told why as far as a
 * WebSocket lets us: it takes 1000 and 3000–4999 only.
 * @internal
 */
export function drop(socket: WebSocketLike, code: number, reason: string): void {
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.onerror = () => {}; // `ws` throws what nobody listens for
  try {
    socket.close(code === 1000 || code >= 3000 ? code : 4000, fit(reason));
  } catch {
    // It was closed already, or never open.
  }
}
