// Sending: shown at once, kept until it is stored, sent once however often the network fails.

import { startAgain } from "./again.js";
import { call } from "./api.js";
import { chat, onEnd, random } from "./chat.js";
import { gone } from "./exit.js";
import { receive } from "./inbox.js";
import { listen, networkWorks } from "./listen.js";
import { byId, page } from "./page.js";
import { growBox, toEnd } from "./place.js";
import { notice, showQuick } from "./state.js";
import * as waiting from "./waiting.js";

const box = byId("text");
let inFlight = null; // the delivery that is under way
let tries = 0;
let retryTimer = 0;

export function tooLong(text) {
  return text.length > page.limit && Array.from(text).length > page.limit;
}

export function submit(text) {
  if (gone) return;
  if (tooLong(text)) {
    notice(page.too_long);
    return;
  }
  notice("");
  if (!chat.token) chat.token = random(32);
  showQuick([]);
  waiting.add(text);
  toEnd();
  flush();
}

// The oldest that waits, and then the next; a failure waits for its retry.
export function flush() {
  if (inFlight || !waiting.first() || gone) return;
  clearTimeout(retryTimer);
  inFlight = deliver(waiting.first(), chat.token).then(() => {
    inFlight = null;
    if (tries === 0) flush();
    if (chat.token && chat.last) listen();
  });
}

async function deliver(message, token) {
  let answer = null;
  let said = null;
  try {
    answer = await call(token, "/messages", { id: message.id, text: message.text, after: chat.last });
    said = await answer.json();
  } catch {
    // no network, or an answer that is not ours
  }
  if (chat.token !== token || gone) return;
  if (answer && answer.ok && said) stored(message, said);
  else if (answer && answer.status === 429) retryLater(said && said.text); // crowded: nothing was taken
  else if (answer && answer.status >= 400) refused(answer.status, said && said.text);
  else retryLater();
}

function stored(message, said) {
  tries = 0;
  notice("");
  networkWorks();
  receive(said, true);
  waiting.settle(message, new Date().toISOString());
}

// What was not stored goes back into the box, to be read, changed or sent again.
function refused(status, text) {
  const texts = waiting.takeBack();
  if (box.value) texts.push(box.value);
  tries = 0;
  if (status === 404) startAgain(page.stopped);
  else notice(text || page.trouble);
  box.value = texts.join("\n");
  growBox();
  box.focus();
}

function retryLater(text) {
  tries += 1;
  notice(text || page.offline);
  retryTimer = setTimeout(flush, Math.min(30000, 1000 * Math.pow(2, tries - 1)) * (0.5 + Math.random()));
}

// The network may work again: what waits for its retry goes now.
export function retryNow() {
  if (!tries) return;
  tries = 0;
  flush();
}

// Forgets what waits, but for what is under way; done when that was answered.
export async function settled() {
  waiting.drop(inFlight ? 1 : 0);
  await inFlight;
}

onEnd(() => {
  tries = 0;
  clearTimeout(retryTimer);
});
