// One stream of events, read from its first byte to its end.

import { ask, ending } from "./api.js";
import { chat } from "./chat.js";

const FIRST_BYTE_MS = 5000; // the server speaks at once; later than this, something in between holds it back
const SILENCE_MS = 25000; // it beats every 15 seconds
const SLEPT_MS = 3000;
export const streamable = typeof ReadableStream === "function" && typeof TextDecoder === "function";

export class Ended extends Error {} // the server says that there is no such chat
export class HeldBack extends Error {} // something in between passes nothing on
export class HungUp extends Error {} // we ended it ourselves

function parse(text) {
  const event = { kind: "", data: "" };
  for (const line of text.split("\n")) {
    if (line.startsWith("event: ")) event.kind = line.slice(7);
    if (line.startsWith("data: ")) event.data += line.slice(6);
  }
  return event;
}

// Aborts a stream that stays silent for too long. A timer that is itself late tells nothing: the phone slept.
class Watch {
  constructor(stop) {
    this.stop = stop;
    this.opened = Date.now();
    this.heldBack = false; // nothing came but, at most, its beginning
    this.wait(FIRST_BYTE_MS);
  }

  wait(ms) {
    const due = Date.now() + ms;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.silent = true;
      this.heldBack = !this.lively && Date.now() - due < SLEPT_MS;
      this.stop.abort();
    }, ms);
  }

  heard() {
    this.lively = this.lively || Date.now() - this.opened > FIRST_BYTE_MS;
    this.wait(SILENCE_MS);
  }

  end() {
    clearTimeout(this.timer);
    this.stop.abort();
  }

  // Why reading failed.
  reason(error) {
    if (this.heldBack) return new HeldBack();
    return this.stop.signal.aborted && !this.silent ? new HungUp() : error;
  }
}

async function open(token, stop) {
  const answer = await ask("/stream", stop.signal, { Authorization: `Bearer ${token}`, "Last-Event-ID": String(chat.last) });
  if (answer.status === 404) throw new Ended(await ending(answer));
  if (!answer.ok || !answer.body) throw new Error("no stream");
  return answer.body.getReader();
}

// Gives every event to `onEvent` as {kind, data}, until the stream ends. Whoever holds `stop` can end it.
export async function follow(token, stop, onEvent) {
  const watch = new Watch(stop);
  const decoder = new TextDecoder();
  let text = "";
  try {
    const reader = await open(token, stop);
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      watch.heard();
      const events = (text + decoder.decode(piece.value, { stream: true })).split("\n\n");
      text = events.pop();
      events.map(parse).forEach(onEvent);
    }
  } catch (error) {
    throw watch.reason(error);
  } finally {
    watch.end();
  }
}
