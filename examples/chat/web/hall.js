// A room as the page knows it: who is there, what was said, and what is on its way. It knows neither the client nor the page.
import { newKey } from "./store.js";

const keep = 300; // entries
const mostPending = 20; // the server takes some more at once

export class Hall {
  name;
  about = "";
  id; // the room's, which is another one when the server was started anew
  hello; // what to join with
  seat; // of the link; undefined: we are not in
  waits = false; // for another seat, since we have lost one
  out = ""; // why we do not try to get one
  me; // our id among the members
  members = new Map();
  typing = []; // ids
  entries = []; // messages, and lines about who came and went; oldest first
  pending = []; // what we have said and has not come back
  seen = 0; // the newest message that was looked at
  mark; // the message behind which the new ones begin; undefined: no line shows where
  #of; // the id of the room that entries are of
  #lines = 0;
  #changed;

  /** changed(hall, event) is called when something is another. */
  constructor(name, hello, changed) {
    Object.assign(this, { name, hello });
    this.#changed = changed;
  }

  get myName() {
    return this.members.get(this.me)?.name ?? this.hello.name;
  }

  get messages() {
    return this.entries.filter((entry) => !entry.line);
  }

  get newest() {
    return this.entries.findLast((entry) => !entry.line)?.id ?? 0;
  }

  get unread() {
    return this.messages.reduce((n, { id, from }) => n + (id > this.seen && from !== this.me), 0);
  }

  /** The others who are typing, by name. */
  get typists() {
    return this.typing.filter((id) => id !== this.me).flatMap((id) => this.members.get(id)?.name ?? []);
  }

  /** Takes a seat. over(hall, code, text) is called when we have none, or no longer. */
  enter(link, over) {
    this.leave();
    this.out = "";
    const seat = (this.seat = link.join(this.id, this.hello, {
      event: (name, payload) => seat === this.seat && this.#event(name, payload),
      back: () => seat === this.seat && this.#resend(),
      over: (code, text) => {
        if (seat !== this.seat) return;
        this.seat = undefined;
        over(this, code, text);
      },
    }));
    this.#changed(this, "seat");
  }

  leave() {
    this.seat?.leave();
    this.seat = undefined;
  }

  #event(name, payload) {
    this.#on[name]?.(payload);
    this.entries.splice(0, this.entries.length - keep);
    this.#changed(this, name, payload);
  }

  #on = {
    welcome: ({ me, members, history, typing }) => {
      const same = this.#of === this.id;
      const first = history[0]?.id;
      const older = same ? this.messages.filter(({ id }) => id < first) : [];
      // What is between the two was said while we were away for long: rather nothing than a gap.
      this.entries = older.at(-1)?.id === first - 1 ? [...older, ...history] : history;
      this.members = new Map(members.map((member) => [member.id, member]));
      Object.assign(this, { me, typing, waits: false });
      if (!same) this.seen = this.newest;
      this.#of = this.id;
      history.forEach((message) => this.#confirm(message));
      this.#resend();
    },
    said: (message) => {
      if (message.id <= this.newest) return;
      this.entries.push(message);
      this.#confirm(message);
    },
    joined: (member) => {
      this.members.set(member.id, member);
      this.#line("joined", member.name);
    },
    left: (member) => {
      this.members.delete(member.id);
      this.#line("left", member.name);
    },
    changed: ({ member, was }) => {
      this.members.set(member.id, member);
      if (member.name !== was) this.#line(`is now ${member.name}`, was);
    },
    typing: (ids) => (this.typing = ids),
  };

  /** Notes who came or went. Who did both at once, as when a page is loaded again, is not worth a line. */
  #line(verb, name) {
    const last = this.entries.at(-1);
    if (last?.verb === verb && !last.names.includes(name)) last.names.push(name);
    else if (last?.verb === "left" && verb === "joined" && last.names.includes(name)) {
      last.names = last.names.filter((other) => other !== name);
      if (!last.names.length) this.entries.pop();
    } else this.entries.push({ line: ++this.#lines, verb, names: [name], at: Date.now() });
  }

  /** A message of ours has come back. */
  #confirm({ from, key }) {
    if (from === this.me) this.pending = this.pending.filter((draft) => draft.key !== key);
  }

  /** Says something, now or when the connection is back; false: too much waits already. */
  say(text) {
    if (this.pending.length >= mostPending) return false;
    const draft = { key: newKey(), text, at: Date.now() };
    this.pending.push(draft);
    this.mark = undefined;
    this.#send(draft);
    this.#changed(this, "pending");
    return true;
  }

  /** Says again what the room did not take. */
  again(draft) {
    draft.error = undefined;
    this.#send(draft);
    this.#changed(this, "pending");
  }

  discard(draft) {
    this.pending = this.pending.filter((other) => other !== draft);
    this.#changed(this, "pending");
  }

  async #send(draft) {
    const { key, text } = draft;
    const answer = await this.seat?.request("say", { key, text });
    if (!answer?.error) return; // it comes back as a message, or is sent again
    draft.error = answer.error;
    this.#changed(this, "pending");
  }

  /** Sends again what may have been lost with the connection. The room knows by the keys what it has had. */
  #resend() {
    for (const draft of this.pending) if (!draft.error) this.#send(draft);
  }
}
