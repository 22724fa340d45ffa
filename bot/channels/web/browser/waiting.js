// The child's messages that the server does not have yet: on the page at once, in order, and kept over a reload.

import { markStored, waitingBubble } from "./bubble.js";
import { chat, keep, onEnd, random } from "./chat.js";
import { byId, page } from "./page.js";
import { endNotice } from "./state.js";

let queue = []; // {id, text, bubble}
let refused = null; // stands in the box now: sent unchanged it keeps its id, so that it can never come twice

function write() {
  keep(queue.map((message) => [message.id, message.text]));
}

export function first() {
  return queue[0];
}

// The message with this id, if it still waits.
export function find(id) {
  return queue.find((message) => message.id === id);
}

export function add(text, id) {
  const same = refused && refused.text === text;
  const message = { id: id || (same ? refused.id : random(12)), text, bubble: waitingBubble(text) };
  refused = null;
  queue.push(message);
  byId("log").append(message.bubble);
  write();
}

// The server has it.
export function settle(message, at) {
  if (!queue.includes(message)) return;
  queue = queue.filter((other) => other !== message);
  markStored(message.bubble, at);
  write();
  if (!queue.length) endNotice(page.offline);
}

// All but the first `count` are forgotten.
export function drop(count) {
  for (const message of queue.slice(count)) message.bubble.remove();
  queue = queue.slice(0, count);
  write();
}

// Nothing waits any more; gives what was not stored, as texts for the box.
export function takeBack() {
  const texts = queue.map((message) => message.text);
  refused = queue.length === 1 ? queue[0] : null;
  drop(0);
  return texts;
}

onEnd(() => drop(0));
