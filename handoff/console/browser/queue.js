// The queue, kept up to date in place. On other pages only the count, the title and the sound.

import { play, title } from "./attention.js";
import { setHidden, setText } from "./dom.js";
import { fragment } from "./net.js";
import { tick, trustServerClock } from "./time.js";

let known = null; // ids of the waiting children that were seen before; null until the first look
let acute = false;
let count = 0;
let unread = false;

export function setUnread(on) {
  unread = on;
  title(count, unread);
}

export function retitle() {
  title(count, unread);
}

// Row by row: a row that did not change stays the same element, so that a click or the focus is never lost under one's hand.
function merge(target, fresh) {
  if (target.isEqualNode(fresh)) return;
  const sameKind = target.nodeName === fresh.nodeName && target.id === fresh.id;
  if (!sameKind) return target.replaceWith(fresh);
  if (!fresh.children.length || fresh.matches("form, p, button, a, time")) return target.replaceWith(fresh);
  for (const name of fresh.getAttributeNames()) {
    if (target.getAttribute(name) !== fresh.getAttribute(name)) target.setAttribute(name, fresh.getAttribute(name));
  }
  const old = new Map([...target.children].filter((c) => c.id).map((c) => [c.id, c]));
  const rows = [...fresh.children].map((child, i) => {
    const before = child.id ? old.get(child.id) : target.children[i];
    if (!before || before.id !== child.id) return child;
    if (before.isEqualNode(child)) return before;
    if (!child.id) return child;
    merge(before, child);
    return before.isConnected ? before : child;
  });
  const kept = new Set(rows);
  for (const child of [...target.children]) if (!kept.has(child)) child.remove();
  rows.forEach((row, i) => {
    if (target.children[i] !== row) target.insertBefore(row, target.children[i] || null);
  });
}

function look(root, leading) {
  const rows = [...root.querySelectorAll("[data-waiting]")];
  const ids = new Set(rows.map((row) => row.dataset.waiting));
  const urgent = rows.some((row) => row.dataset.urgency === "2");
  const fresh = rows.filter((row) => known && !known.has(row.dataset.waiting));
  if (leading && fresh.length) play(fresh.some((row) => row.dataset.urgency === "2") ? "acute" : "waiting");
  else if (leading && urgent && !acute && known) play("acute");
  known = ids;
  acute = urgent;
  count = rows.length;
  const counter = document.getElementById("teller");
  if (counter) {
    setHidden(counter, !count);
    setText(counter, count ? ` (${count})` : "");
  }
  title(count, unread);
}

export async function refreshQueue(leading) {
  const page = await fragment("/wachtrij-deel");
  const fresh = document.adoptNode(page.getElementById("wachtrij"));
  const here = document.getElementById("wachtrij");
  look(fresh, leading);
  if (!here) return;
  trustServerClock(fresh.dataset.now);
  tick(fresh);
  tick(here);
  fresh.dataset.page = "queue";
  const focused = document.activeElement && here.contains(document.activeElement) ? document.activeElement.id : "";
  merge(here, fresh);
  if (focused && !here.contains(document.activeElement)) {
    (document.getElementById(focused) || document.getElementById("inhoud")).focus({ preventScroll: true });
  }
}

export function remind(leading) {
  if (leading && acute) play("acute");
}

export function start() {
  const here = document.getElementById("wachtrij");
  if (!here) return;
  trustServerClock(here.dataset.now);
  look(here, false);
}
