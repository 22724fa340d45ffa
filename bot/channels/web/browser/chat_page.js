// The child's page. A browser that lacks what the chat needs keeps the plain form, and the exit.

import { call, ending } from "./api.js";
import { chat, endChat, keep, kept } from "./chat.js";
import { startCover } from "./cover.js";
import { onLeave, startExit } from "./exit.js";
import { startForm } from "./form.js";
import { receive } from "./inbox.js";
import { listen, lookNow, newNetwork, stopListening } from "./listen.js";
import { flush, retryNow } from "./outbox.js";
import { byId, page, root } from "./page.js";
import { growBox, startPlace, toEnd } from "./place.js";
import { notice, showQuick } from "./state.js";
import { lookAround, startStatus } from "./status.js";
import * as waiting from "./waiting.js";

function able() {
  return [window.fetch, window.AbortController, window.crypto && crypto.getRandomValues, Element.prototype.append].every(Boolean);
}

function networkIsBack() {
  retryNow();
  if (chat.token && chat.last) newNetwork();
  lookAround();
}

function seenAgain() {
  if (document.hidden) return;
  retryNow();
  lookNow();
  lookAround();
}

// A chat that the form began without script goes on here; so does one that was in this tab before a reload.
function before() {
  const field = document.querySelector("input[name=token]");
  const found = kept() || {};
  field.remove();
  if (!page.known) return found;
  return { token: field.value, queue: found.token === field.value ? found.queue : [] };
}

async function goOn(found) {
  const { token } = found;
  chat.token = token;
  byId("log").textContent = "";
  showQuick([]);
  for (const [id, text] of found.queue || []) waiting.add(text, id);
  keep(found.queue || []);
  try {
    const answer = await call(token, "/messages?after=0");
    if (chat.token !== token) return;
    if (answer.ok) {
      receive(await answer.json());
      toEnd();
    } else if (answer.status === 404) {
      if (!waiting.first()) return forget(await ending(answer));
    } else {
      notice(page.trouble);
    }
  } catch {
    notice(page.offline);
  }
  if (waiting.first()) flush();
  else listen();
}

function forget(text) {
  chat.token = null;
  keep([]);
  showQuick(page.buttons);
  if (text) notice(text);
}

function start() {
  startPlace();
  startForm();
  startStatus();
  addEventListener("online", networkIsBack);
  addEventListener("pagehide", stopListening);
  onLeave(endChat);
  document.addEventListener("visibilitychange", seenAgain);
  root.classList.add("js");
  const found = before();
  if (!page.known) showQuick(page.buttons);
  growBox();
  if (found.token) goOn(found);
}

startExit();
startCover();
if (able()) start();
