// Where the page stands, and how much room the words get.

import { setHidden } from "./dom.js";
import { byId, root } from "./page.js";

const NEAR_END_PX = 100;
const newer = byId("new");
const box = byId("text");
// Where the page stands is ours to say until somebody scrolls; from then on a button tells that there is something new.
let ours = true;

function atEnd() {
  return innerHeight + pageYOffset > document.body.scrollHeight - NEAR_END_PX;
}

export function toEnd() {
  ours = true;
  setHidden(newer, true);
  scrollTo(0, document.body.scrollHeight);
}

// New words from others, of which `first` is the first: a text longer than the window is read from its beginning.
export function showArrived(first) {
  if (!ours && !atEnd()) {
    setHidden(newer, false);
    return;
  }
  toEnd();
  const bar = document.querySelector(".bar").offsetHeight;
  if (first && first.getBoundingClientRect().top < bar) first.scrollIntoView({ block: "start" });
}

// What the child wrote last stands at the top of the window, so that the answer is read from its beginning.
export function toNewestOf(log) {
  const mine = log.querySelectorAll(".me");
  ours = true;
  if (mine.length) mine[mine.length - 1].scrollIntoView({ block: "start" });
}

// With large letters, or the keyboard open, the words get the room: the numbers scroll away with them, then the box does too.
export function fit() {
  const [bar, foot, calls] = [".bar", "footer", ".calls"].map((name) => document.querySelector(name).offsetHeight);
  root.classList.toggle("tight", bar + foot + calls > innerHeight * 0.5);
  root.classList.toggle("tighter", bar + foot > innerHeight * 0.6);
}

export function growBox() {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + 2}px`;
  fit();
}

export function startPlace() {
  const byHand = () => {
    ours = false;
  };
  for (const kind of ["wheel", "touchmove"]) addEventListener(kind, byHand, { passive: true });
  addEventListener("keydown", (event) => {
    if (/^(Page|Home|Arrow)/.test(event.key) && event.target !== box) byHand();
  });
  addEventListener("scroll", () => {
    if (atEnd()) setHidden(newer, true);
  }, { passive: true });
  addEventListener("resize", fit);
  newer.addEventListener("click", toEnd);
}
