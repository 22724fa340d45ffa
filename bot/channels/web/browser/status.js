// Before there is a chat: who is there now, and whether what was broken works again.

import { ask } from "./api.js";
import { chat } from "./chat.js";
import { gone } from "./exit.js";
import { notice, showState } from "./state.js";

const STATUS_MS = 30000;
const BROKEN_MS = 5000;

function broken() {
  return document.querySelector("footer").hidden;
}

function mend() {
  document.querySelector("footer").hidden = false;
  document.querySelector("main").className = "";
  notice("");
}

export async function lookAround() {
  if (gone || (chat.token && chat.last) || document.hidden) return;
  try {
    const answer = await ask("/status");
    if (!answer.ok) return;
    const now = await answer.json();
    if (gone) return;
    showState(now);
    if (now.on_duty !== null && broken()) mend();
  } catch {
    // the next time
  }
}

export function startStatus() {
  setInterval(lookAround, broken() ? BROKEN_MS : STATUS_MS);
}
