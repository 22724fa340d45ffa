// What the server tells of this chat. Lines come by several ways, so each is drawn once, by its number, in order.

import { call } from "./api.js";
import { bubble } from "./bubble.js";
import { chat, onEnd } from "./chat.js";
import { gone } from "./exit.js";
import { byId } from "./page.js";
import { showArrived, toNewestOf } from "./place.js";
import { showQuick, showState } from "./state.js";
import * as waiting from "./waiting.js";

const CONFIRM_MS = 300;
const log = byId("log");
let shown = 0; // the newest message from somebody else
let confirmed = 0; // what the server knows of that
let confirmTimer = 0;

// Tells the server what is shown, several messages in one go. What gets lost is told with the next news.
function confirm() {
  clearTimeout(confirmTimer);
  if (shown > confirmed) confirmTimer = setTimeout(sendConfirmation, CONFIRM_MS);
}

async function sendConfirmation() {
  const { token, last } = chat;
  if (!token || gone) return;
  try {
    const answer = await call(token, "/received", { seq: last });
    if (answer.ok && chat.token === token) confirmed = last;
  } catch {
    // with the next news
  }
}

// Draws a line above what still waits, or marks our own as stored. Returns what was drawn for somebody else's words.
function draw(line) {
  const own = line.id && waiting.find(line.id);
  if (own) {
    waiting.settle(own, line.at);
    return null;
  }
  const next = waiting.first();
  return log.insertBefore(bubble(line), next ? next.bubble : null);
}

// `answered`: this is the answer to something that the child just sent.
export function receive(news, answered) {
  if (gone || !chat.token) return;
  const lines = news.messages.filter((line) => line.seq > chat.last);
  const drawn = lines.map((line) => {
    chat.last = line.seq;
    return draw(line);
  });
  const others = lines.filter((line) => line.role !== "child");
  if (others.length) shown = others[others.length - 1].seq;
  confirm();
  if (news.state) {
    chat.claimed = news.state === "claimed";
    showState(news);
  }
  if (chat.claimed) showQuick([]);
  else if (others.length && !waiting.first()) showQuick(others[others.length - 1].buttons);
  if (answered) toNewestOf(log);
  else if (lines.length) showArrived(drawn.find(Boolean));
}

onEnd(() => {
  shown = 0;
  confirmed = 0;
  clearTimeout(confirmTimer);
});
