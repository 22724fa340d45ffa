// The quick exit, on every page: by its button, by three presses of Shift or Escape, and shut behind who left.

import { setText } from "./dom.js";
import { byId, page, root } from "./page.js";

const PRESS_MS = 5000;
const PRESSES = 3;
const endings = [];
let presses = [];
let held = "";

export let gone = false;

// `work` is done while leaving, after everything was covered.
export function onLeave(work) {
  endings.push(work);
}

// The overlay first, then forgetting, then away. `replace` leaves no page of ours to come back to.
function leave(event) {
  if (event) event.preventDefault();
  gone = true;
  root.className = "gone";
  document.title = "\u200b";
  try {
    sessionStorage.clear();
  } catch {
    // nothing was kept
  }
  for (const work of endings) work();
  document.body.textContent = "";
  location.replace(page.exit);
}

// Any other key in between starts the count again.
function keyDown(event) {
  if (event.repeat) return;
  const counts = event.key === "Shift" || event.key === "Escape";
  if (held === "Shift" || !counts) {
    presses = [];
    held = "other";
  } else {
    held = event.key;
  }
}

function keyUp(event) {
  if (gone || event.key !== held) {
    if (event.key === "Shift" || event.key === "Escape") held = "";
    return;
  }
  held = "";
  const now = Date.now();
  presses = presses.filter((press) => press.key === event.key && now - press.at < PRESS_MS);
  presses.push({ key: event.key, at: now });
  if (presses.length >= PRESSES) leave();
  else setText(byId("steps"), presses.length === 1 ? page.label.twice_more : page.label.once_more);
}

// A page that comes back out of the browser's memory is never trusted to still be the right one.
function shown(event) {
  if (!event.persisted) return;
  root.className = "gone";
  if (gone) location.replace(page.exit);
  else location.reload();
}

export function startExit() {
  byId("exit").addEventListener("click", leave);
  addEventListener("keydown", keyDown, true);
  addEventListener("keyup", keyUp, true);
  addEventListener("pageshow", shown);
}
