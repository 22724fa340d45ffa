// Writing into the page: always as text, and only when it really changes. Writing the same again would wipe a selection or the
// focus on a phone number, and may be spoken twice.

import { page } from "./page.js";

const dialled = new Map(page.numbers); // by the number as it is printed
const longestFirst = Array.from(dialled.keys()).sort((a, b) => b.length - a.length);
const anyNumber = longestFirst.map((number) => number.replace(/[^\w\s-]/g, "\\$&")).join("|") || "(?!)";
const NUMBER = new RegExp(`(^|[^\\d-])(${anyNumber})(?![\\d-])`);

export function make(tag, kind, text) {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  if (text) element.textContent = text;
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

export function setClass(element, name) {
  if (element.className !== name) element.className = name;
}

function link(number) {
  const made = make("a", "", number);
  made.href = `tel:${dialled.get(number)}`;
  made.dir = "ltr";
  return made;
}

// For our own sentences: the numbers in them can be called.
export function setLinked(element, text) {
  if (element.textContent === text) return;
  element.textContent = "";
  const pieces = text.split(NUMBER); // a stretch of text, the character before a number, the number, and so on
  for (let i = 0; i < pieces.length; i += 3) {
    element.append(pieces[i] + (pieces[i + 1] || ""));
    if (pieces[i + 2]) element.append(link(pieces[i + 2]));
  }
}
