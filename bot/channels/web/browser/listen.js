// Listening while there is a chat: a stream that goes on where it stopped; where streams do not come through, asking every few
// seconds.

import { startAgain } from "./again.js";
import { call, ending } from "./api.js";
import { chat, onEnd } from "./chat.js";
import { gone } from "./exit.js";
import { receive } from "./inbox.js";
import { page } from "./page.js";
import { showState } from "./state.js";
import { Ended, HeldBack, HungUp, follow, streamable } from "./stream.js";

const ASK_MS = 3000;
const ASK_HIDDEN_MS = 15000;
const ASKED_ENOUGH = 20; // after so many times asking, a stream is tried again
const WAIT_MS = 30000;
const WAIT_CLAIMED_MS = 8000;
let listening = false;
let closed = false;
let current = null; // the open stream's AbortController
let failures = 0;
let asked = 0;
let suspect = false; // a stream was silent: if asking works now, streams are held back
let heldBack = !streamable; // for as long as this page is open
let wakeUp = null;

function pause(ms) {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    wakeUp = () => {
      clearTimeout(timer);
      done();
    };
  });
}

// Cuts a pause short.
export function lookNow() {
  if (wakeUp) wakeUp();
}

function hangUp() {
  if (current) current.abort();
  lookNow();
}

// Something else came through: do not sit out the rest of a long pause.
export function networkWorks() {
  if (!failures) return;
  failures = 1;
  lookNow();
}

// The browser says that there is a network again: whatever was open hangs on the old one.
export function newNetwork() {
  failures = Math.min(failures, 1);
  hangUp();
  listen();
}

// The page is being left; should it come back, it loads again.
export function stopListening() {
  closed = true;
  hangUp();
}

export async function listen() {
  if (listening || gone) return;
  listening = true;
  while (chat.token && !gone && !closed) await round(chat.token);
  listening = false;
}

async function round(token) {
  const asking = heldBack || suspect || failures > 1;
  try {
    await (asking ? poll(token) : stream(token));
  } catch (error) {
    if (chat.token !== token) return;
    if (error instanceof Ended) startAgain(error.message || page.stopped);
    else if (error instanceof HeldBack) suspect = true;
    else if (error instanceof HungUp) return;
    else await failed(asking);
  }
}

// Streams that fail say nothing about the network: only when asking fails too, there is no connection.
async function failed(asking) {
  failures += 1;
  suspect = false;
  if (asking) showState({ line: page.label.no_line, state: "" });
  else if (failures > 1) return;
  const longest = chat.claimed ? WAIT_CLAIMED_MS : WAIT_MS;
  await pause(Math.min(longest, 1000 * Math.pow(2, failures - 1)) * (0.5 + Math.random()));
}

async function stream(token) {
  current = new AbortController();
  let alive = false;
  await follow(token, current, (event) => {
    alive = true;
    failures = 0;
    if (chat.token === token) hear(event);
  });
  if (!alive) throw new Error("an empty stream");
  await pause(500 + 1000 * Math.random());
}

function hear(event) {
  if (event.kind === "message") receive({ messages: [JSON.parse(event.data)] });
  else if (event.kind === "state") receive(Object.assign({ messages: [] }, JSON.parse(event.data)));
  else if (event.kind === "gone") startAgain(JSON.parse(event.data).text || page.stopped);
}

async function poll(token) {
  const answer = await call(token, `/messages?after=${chat.last}`);
  if (chat.token !== token) return;
  if (answer.status === 404) throw new Ended(await ending(answer));
  if (!answer.ok) throw new Error("no answer");
  heldBack = heldBack || suspect;
  suspect = false;
  receive(await answer.json());
  asked += 1;
  if (asked % ASKED_ENOUGH === 0) failures = Math.min(failures, 1);
  await pause(document.hidden ? ASK_HIDDEN_MS : ASK_MS);
}

onEnd(hangUp);
