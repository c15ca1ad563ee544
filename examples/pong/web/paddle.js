// One's own paddle, moved at once and as the server will move it: towards the same aim at the same speed. So both meet
// again by themselves, however long the way, and nothing has to be corrected.
import { clamp, height, paddleSpeed, reach, towards } from "./court.js";

export class Paddle {
  y = height / 2;
  #aim; // what the server was told last
  #send;

  /** send(y) tells the server, and returns whether it could. */
  constructor(send) {
    this.#send = send;
  }

  /** We were away, and the server may have moved the paddle as it liked: it is told anew. */
  again() {
    this.#aim = undefined;
  }

  /** One frame: wanted is where the player wants it, undefined before they have said so; server is where the server has it. */
  frame(seconds, wanted, server) {
    if (wanted === undefined) {
      this.y = server;
      return;
    }
    const aim = Math.round(clamp(wanted, reach, height - reach) * 20) / 20;
    if (aim !== this.#aim && this.#send(aim)) this.#aim = aim;
    this.y = towards(this.y, aim, paddleSpeed * seconds);
  }
}
