// An opened chat: new messages appear by themselves; what one writes waits here, in this page only, until the server has it.

import { play } from "./attention.js";
import { setHidden, setText } from "./dom.js";
import { Gone, Lost, Refused, fragment, send } from "./net.js";
import { setUnread } from "./queue.js";

const root = document.getElementById("gesprek");
const path = root ? `/gesprek/${root.dataset.id}` : "";
const lines = document.getElementById("regels");
const box = document.getElementById("tekst");
const MOST = box ? Number(box.dataset.limit) : 0; // characters of one message
const NEAR = 500;
const form = document.getElementById("schrijven");
const pending = document.getElementById("onderweg");
const waiting = []; // {id, text, row, state}: state is "waits", "busy" or "stored"
let sending = false;
let busy = false;
let again = false;
let wait = 1000;
let isLost = false;

// Who is looking at the box wants to see the newest message; who reads further up is left where they are.
function atEnd() {
  const place = form.getBoundingClientRect();
  return place.top < innerHeight && place.bottom > 0;
}

function toEnd() {
  scrollBy(0, form.getBoundingClientRect().bottom - innerHeight + 8);
}

function lost(reason) {
  if (isLost) return;
  isLost = true;
  document.getElementById("kwijt-tekst").textContent = reason || "Dit gesprek is niet meer van u.";
  document.getElementById("kwijt").hidden = false;
  const unsent = waiting.filter((item) => item.state !== "stored").map((item) => item.text);
  if (unsent.length) box.value = [...unsent, box.value].filter(Boolean).join("\n\n");
  waiting.length = 0;
  pending.replaceChildren();
  pending.hidden = true;
  document.getElementById("regels")?.replaceChildren();
  document.getElementById("aanwezig")?.replaceChildren();
  for (const button of root.querySelectorAll("button")) button.disabled = true;
  box.readOnly = true;
  document.getElementById("kwijt").scrollIntoView({ block: "center" });
}

function addLines(page) {
  const stick = atEnd();
  let fromChild = false;
  for (const row of [...page.querySelectorAll("#regels > li")]) {
    if (document.getElementById(row.id)) continue;
    fromChild = fromChild || row.dataset.role === "child";
    lines.append(document.adoptNode(row));
  }
  const { last } = page.getElementById("regels").dataset;
  if (lines.dataset.last !== last) lines.dataset.last = last;
  for (const item of waiting.filter((one) => one.state === "stored")) {
    item.row.remove();
    waiting.splice(waiting.indexOf(item), 1);
  }
  setHidden(pending, !waiting.length);
  if (stick) toEnd();
  if (fromChild && document.hidden) {
    setUnread(true);
    play("message");
  }
}

function addStates(page) {
  for (const state of page.querySelectorAll("#staten > li")) {
    const place = document.querySelector(`#bericht-${state.dataset.seq} .pe-state`);
    if (!place || place.dataset.state === state.dataset.state) continue;
    place.dataset.state = state.dataset.state;
    place.className = `pe-state pe-state--${state.dataset.state}`;
    place.replaceChildren(...[...state.childNodes].map((node) => document.importNode(node, true)));
  }
}

function addPresence(page) {
  const fresh = page.getElementById("aanwezig");
  const here = document.getElementById("aanwezig");
  if (fresh && !here.isEqualNode(fresh)) here.replaceWith(document.adoptNode(fresh));
}

export async function refreshChat() {
  if (!root || isLost) return;
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    do {
      again = false;
      const page = await fragment(`${path}/deel?na=${lines.dataset.last}`);
      addLines(page);
      addStates(page);
      addPresence(page);
    } while (again);
  } catch (error) {
    if (error instanceof Lost) lost(error.message);
    else throw error;
  } finally {
    busy = false;
  }
}

function say(item, text) {
  setText(item.row.lastElementChild, text);
}

function show(text) {
  const row = document.createElement("li");
  row.className = "pe-line pe-line--confidant pe-line--pending";
  const words = document.createElement("p");
  words.className = "pe-line__text pe-words";
  words.textContent = text;
  const state = document.createElement("p");
  state.className = "pe-state";
  row.append(words, state);
  pending.append(row);
  setHidden(pending, false);
  return row;
}

async function drain() {
  if (sending) return;
  sending = true;
  let item;
  while (!isLost && (item = waiting.find((one) => one.state === "waits"))) {
    say(item, "wordt verstuurd…");
    try {
      await send(`${path}/schrijven`, { tekst: item.text, bericht: item.id });
      item.state = "stored";
      say(item, "verstuurd");
      wait = 1000;
      refreshChat().catch(() => {}); // the stream or the next beat brings it
    } catch (error) {
      if (error instanceof Lost) {
        await refreshChat().catch(() => {});
        lost("");
      } else if (error instanceof Refused) refuse(item, error.message);
      else if (error instanceof Gone) {
        say(item, "niet verstuurd: u bent uitgelogd");
        break;
      } else {
        say(item, "wacht op verbinding, gaat vanzelf");
        await new Promise((go) => setTimeout(go, wait));
        wait = Math.min(wait * 2, 15000);
      }
    }
  }
  sending = false;
}

function refuse(item, why) {
  item.row.remove();
  waiting.splice(waiting.indexOf(item), 1);
  setHidden(pending, !waiting.length);
  box.value = [item.text, box.value].filter(Boolean).join("\n\n");
  document.getElementById("te-lang").textContent = why;
}

function submit(event) {
  event.preventDefault();
  const text = box.value.replace(/\r\n?/g, "\n").trim();
  if (!text || isLost) return;
  if ([...text].length > MOST) return count();
  waiting.push({ id: newId(), text, row: show(text), state: "waits" });
  box.value = "";
  count();
  box.focus();
  toEnd();
  drain();
}

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
}

function count() {
  const length = [...box.value].length;
  let said = length > MOST - NEAR ? `${length} van ${MOST} tekens` : "";
  if (length > MOST) said = `Te lang: ${length} van ${MOST} tekens. Knip het in tweeën.`;
  setText(document.getElementById("te-lang"), said);
}

export function startChat() {
  if (!root) return;
  box.removeAttribute("maxlength"); // what is too long is told before it is sent, and nothing of it is cut off
  form.addEventListener("submit", submit);
  box.addEventListener("input", count);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  });
  addEventListener("online", () => drain());
  addEventListener("beforeunload", (event) => {
    if (!isLost && (box.value.trim() || waiting.some((item) => item.state !== "stored"))) event.preventDefault();
  });
  for (const other of root.querySelectorAll(".pe-actions form")) {
    other.addEventListener("submit", () => {
      box.value = ""; // the person chose to hand on; asking again about the draft would only be in the way
    });
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) setUnread(false);
  });
  toEnd();
}
