// Drawing one message. What people write becomes text and nothing else.

import { make, setLinked } from "./dom.js";
import { page } from "./page.js";

const RIGHT_TO_LEFT = ["ar", "fa", "he", "ps", "ur", "ckb"];
const STORED = ` \u2713 ${page.label.stored}`;
let towerOfMarks = null;
try {
  towerOfMarks = new RegExp("(\\p{M}{4})\\p{M}+", "gu");
} catch {
  // an old phone: the bubble clips them
}

function harmless(text) {
  const safe = text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, "\ufffd");
  return towerOfMarks ? safe.replace(towerOfMarks, "$1") : safe;
}

function clock(at) {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes()].map((number) => (number < 10 ? "0" : "") + number).join(":");
}

function direction(line) {
  if (line.role !== "bot") return "auto";
  return RIGHT_TO_LEFT.includes(line.lang) ? "rtl" : "ltr";
}

function speaker(line) {
  if (line.role === "bot") return page.label.bot;
  return line.role === "child" ? page.label.me : line.name || page.label.human;
}

function wordsOf(line) {
  const words = make("p", "words");
  const own = line.role === "bot";
  words.dir = direction(line);
  words.lang = own ? line.lang : "";
  if (own) setLinked(words, line.text);
  else words.textContent = harmless(line.text).trim() ? harmless(line.text) : page.label.empty;
  return words;
}

export function bubble(line) {
  const kind = { bot: "bot", child: "me" }[line.role] || "human";
  const drawn = make("div", `b ${kind}`);
  const when = line.at ? clock(line.at) + (kind === "me" ? STORED : "") : "";
  drawn.append(make("span", "who", speaker(line)), wordsOf(line), make("span", "meta", when));
  return drawn;
}

export function waitingBubble(text) {
  const drawn = bubble({ role: "child", text });
  drawn.classList.add("waits");
  drawn.lastChild.textContent = `${page.label.pending}\u2026`;
  return drawn;
}

export function markStored(drawn, at) {
  drawn.classList.remove("waits");
  drawn.lastChild.textContent = clock(at) + STORED;
}
