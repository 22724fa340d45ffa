// The queue, kept up to date in place. On other pages only the count, the title and the sound.

import { play, title } from "./attention.js";
import { setHidden, setText } from "./dom.js";
import { fragment } from "./net.js";
import { tick, trustServerClock } from "./time.js";

const PACE_MS = 500; // between two looks at a queue that changes all the time
let newest = null; // when the last child came into the queue, as the server wrote it; null until the first look
let newestAcute = "";
let acute = false;
let count = 0;
let unread = false;
let busy = false;
let again = false;
let loud = false;

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

// A sound for a child that came, louder for an acute one. More children or a later arrival: one of the two is enough, since a
// clock that is put back makes no child silent.
function look(root, leading) {
  const { total, newest: last, newestAcute: lastAcute } = root.dataset;
  const urgent = Number(root.dataset.acute) > 0;
  if (leading && newest !== null) {
    const came = last > newest || Number(total) > count;
    if (urgent && (lastAcute > newestAcute || !acute)) play("acute");
    else if (came) play("waiting");
  }
  newest = last;
  newestAcute = lastAcute;
  acute = urgent;
  count = Number(total);
  const counter = document.getElementById("teller");
  if (counter) {
    setHidden(counter, !count);
    setText(counter, count ? ` (${count})` : "");
  }
  title(count, unread);
}

// Rows that this page shows already come as their tag alone: puts in what each stands for, so that what is merged is whole,
// wherever a list has moved to. Returns whether all were found.
function fillIn(fresh, here) {
  const shown = new Map([...here.querySelectorAll("[data-tag]")].map((row) => [row.dataset.tag, row]));
  let whole = true;
  for (const named of fresh.querySelectorAll("[data-same]")) {
    const row = shown.get(named.dataset.same);
    if (row) named.replaceWith(row.cloneNode(true));
    else {
      named.remove();
      whole = false;
    }
  }
  return whole;
}

// Asks for what changed: the rows that are shown already are named, and do not come again.
async function refreshOnce(leading) {
  const here = document.getElementById("wachtrij");
  const path = "/wachtrij-deel" + (here && location.search.includes("vanaf=") ? location.search : "");
  const shown = here ? [...here.querySelectorAll("[data-tag]")].map((row) => row.dataset.tag).join(",") : "geen";
  const page = await fragment(path, { "X-Shown": shown });
  const fresh = document.adoptNode(page.getElementById("wachtrij"));
  look(fresh, leading);
  if (!here) return;
  if (!fillIn(fresh, here)) again = true; // a row went away while this page was asking: the next look brings it
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

// One look at a time, and not more than two a second: what is heard meanwhile becomes one more look.
export async function refreshQueue(leading) {
  loud = loud || leading;
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    do {
      again = false;
      const sound = loud;
      loud = false;
      await refreshOnce(sound);
      if (again) await new Promise((go) => setTimeout(go, PACE_MS));
    } while (again);
  } finally {
    busy = false;
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
