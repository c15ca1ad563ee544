// A WebSocket that counts what comes and goes, for the overlay.
export const traffic = { received: 0, sent: 0 };

export class CountingSocket extends WebSocket {
  constructor(url) {
    super(url);
    this.addEventListener("message", ({ data }) => (traffic.received += data.byteLength ?? data.length));
  }

  send(data) {
    traffic.sent += data.byteLength;
    super.send(data);
  }
}
