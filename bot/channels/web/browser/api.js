// Asking our own server. The token goes in a header: never in a cookie, an address or a log.

import { page } from "./page.js";

const ANSWER_MS = 15000;
const PLAIN = { cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer", redirect: "error" };

// The answer's head; `signal` ends it.
export function ask(path, signal, headers) {
  return fetch(`/api/${page.slug}${path}`, Object.assign({ headers, signal }, PLAIN));
}

// What the server says of a chat whose time was over; nothing of one that is not there for another reason.
export async function ending(answer) {
  const said = await answer.json().catch(() => ({}));
  return said.ended ? said.text : "";
}

// A question about this chat, or with `body` an order; given up after 15 seconds.
export async function call(token, path, body) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), ANSWER_MS);
  const headers = { Authorization: `Bearer ${token}` };
  const order = body && { method: "POST", body: JSON.stringify(body) };
  if (body) headers["Content-Type"] = "application/json";
  try {
    return await fetch(`/api/${page.slug}${path}`, Object.assign({ headers, signal: stop.signal }, PLAIN, order));
  } finally {
    clearTimeout(timer);
  }
}
