import { Client, type ConnectOptions } from "./client.js";
import { VolleyError } from "./errors.js";
import { address, webSocketClass } from "./socket.js";

/**
 * Connects to a server and resolves when it has welcomed us. From then on the client comes back by
 * itself when the connection is lost, unless `reconnect` says otherwise.
 *
 * @param url the server's address; in a page it may be relative, and is `/volley` on the page's host
 * if not given. `http:` and `https:` become `ws:` and `wss:`.
 *
 * Rejects with a {@link VolleyError} of kind `connect` (its code says why: `Code.Unauthorized`,
 * `Code.Overloaded`, 1006 if nobody answered, …), `timeout`, or `invalid`.
 */
export async function connect(url?: string, options: ConnectOptions = {}): Promise<Client> {
  let WebSocket;
  let full;
  try {
    WebSocket = await webSocketClass(options.WebSocket);
    full = address(url);
  } catch (cause) {
    // Not an address, or no WebSocket here.
    throw new VolleyError("invalid", `cannot connect: ${(cause as Error).message}`);
  }
  return Client._start(full, WebSocket, options);
}
