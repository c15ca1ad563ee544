import { Client, type ConnectOptions } from "./client.js";
import { VolleyError } from "./errors.js";
import { measure } from "./measure.js";
import { address, webSocketClass } from "./socket.js";

/**
 * Connects to a server and resolves when it has welcomed us.
 *
 * @param url the server's address; in a page it may be relative, and is `/volley` on the page's host
 * if not given. `http:` and `https:` become `ws:` and `wss:`.
 *
 * Rejects with a {@link VolleyError} of kind `connect` (its code says why: `Code.Unauthorized`,
 * `Code.Overloaded`, 1006 if nobody answered, …), `timeout`, or `invalid`.
 */
export async function connect(url?: string, options: ConnectOptions = {}): Promise<Client> {
  measure(options.auth, "auth", 62);
  let socket;
  try {
    socket = new (await webSocketClass(options.WebSocket))(address(url));
  } catch (cause) {
    // Not an address, no WebSocket here, or a page that may not connect there.
    throw new VolleyError("invalid", `cannot connect: ${(cause as Error).message}`);
  }
  return Client._start(socket, options);
}
