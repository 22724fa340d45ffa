// Five minutes without a touch: nothing to be seen until somebody taps.

import { gone } from "./exit.js";
import { byId, root } from "./page.js";

const IDLE_MS = 5 * 60 * 1000;
const LOOK_MS = 5000;
// Not "scroll": the page scrolls by itself when words arrive, and that is nobody.
const TOUCHES = ["pointerdown", "keydown", "touchstart", "touchmove", "wheel", "mousemove"];
let touched = Date.now();
let focusBefore = null;

function coverIfIdle() {
  const cover = byId("blank");
  if (gone || !cover.hidden || Date.now() - touched < IDLE_MS) return;
  focusBefore = document.activeElement;
  root.classList.add("blanked");
  cover.hidden = false;
  cover.focus();
}

function uncover() {
  root.classList.remove("blanked");
  byId("blank").hidden = true;
  touched = Date.now();
  if (focusBefore && focusBefore.focus) focusBefore.focus();
}

function touch() {
  if (!gone && byId("blank").hidden) touched = Date.now();
}

export function startCover() {
  byId("blank").addEventListener("click", uncover);
  for (const kind of TOUCHES) addEventListener(kind, touch, { passive: true, capture: true });
  setInterval(coverIfIdle, LOOK_MS);
  document.addEventListener("visibilitychange", coverIfIdle);
}
