// The box and its buttons.

import { startAgain } from "./again.js";
import { call } from "./api.js";
import { chat } from "./chat.js";
import { settled, submit, tooLong } from "./outbox.js";
import { byId, page } from "./page.js";
import { growBox } from "./place.js";
import { notice, onQuick } from "./state.js";

const form = byId("f");
const box = byId("text");

function send(event) {
  event.preventDefault();
  const text = box.value;
  if (!tooLong(text)) {
    box.value = "";
    growBox();
  }
  submit(text);
  box.focus();
}

// Enter sends where there is a mouse, and so a keyboard with Shift; on a phone it is a new line.
function sendByEnter(event) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || !matchMedia("(pointer: fine)").matches) return;
  event.preventDefault();
  if (form.requestSubmit) form.requestSubmit();
  else form.querySelector(".send").click();
}

function erased(text) {
  startAgain(text);
  byId("notice").focus();
}

async function erase(event) {
  event.preventDefault();
  await settled();
  if (!chat.token) {
    erased(page.stopped);
    return;
  }
  try {
    const answer = await call(chat.token, "/erase", {});
    const said = await answer.json().catch(() => ({}));
    if (answer.ok) erased(said.text);
    else if (answer.status === 404) erased(page.stopped);
    else notice(page.not_erased);
  } catch {
    notice(page.not_erased);
  }
}

// What "Wis alles" unfolds lies under the box on a small screen.
function showErase() {
  if (byId("erase").open) byId("erase-now").scrollIntoView({ block: "nearest" });
}

export function startForm() {
  box.removeAttribute("maxlength"); // what is too long is told before it is sent, and nothing of it is cut off
  form.addEventListener("submit", send);
  box.addEventListener("input", growBox);
  box.addEventListener("keydown", sendByEnter);
  byId("erase-now").addEventListener("click", erase);
  byId("erase").addEventListener("toggle", showErase);
  onQuick(submit);
}
