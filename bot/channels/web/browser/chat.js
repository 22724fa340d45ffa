// The chat of this tab: its secret, how far it was read, and what has to happen when it ends.

import { page } from "./page.js";

const endings = [];

export const chat = {
  token: null, // known to this tab and nobody else; null before the first words and after the end
  last: 0, // the number of the newest message that is shown
  claimed: false, // a human reads along
};

// `work` is done when the chat ends, with the chat already forgotten.
export function onEnd(work) {
  endings.push(work);
}

export function endChat() {
  Object.assign(chat, { token: null, last: 0, claimed: false });
  for (const work of endings) work();
}

// The page's own ids and the token: base64url, as the server reads it.
export function random(bytes) {
  const raw = crypto.getRandomValues(new Uint8Array(bytes));
  return btoa(String.fromCharCode(...raw)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

// A new tab starts empty. What waits to be sent survives a reload, nothing else does.
export function keep(waiting) {
  try {
    if (!chat.token) sessionStorage.removeItem(`p-${page.slug}`);
    else sessionStorage.setItem(`p-${page.slug}`, JSON.stringify({ token: chat.token, queue: waiting }));
  } catch {
    // storage is off: the chat lives as long as the page
  }
}

export function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(`p-${page.slug}`));
  } catch {
    return null;
  }
}
