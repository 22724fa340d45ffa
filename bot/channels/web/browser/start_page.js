// The front page: the list of places gets shorter while somebody types; choosing one leaves no extra page to come back to.

import { startCover } from "./cover.js";
import { setHidden, setText } from "./dom.js";
import { startExit } from "./exit.js";
import { byId, page } from "./page.js";

const field = byId("q");
const towns = byId("towns");

function flat(text) {
  return text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[^a-z0-9]+/g, " ").trim();
}

function narrow() {
  const rows = Array.from(towns.children);
  const wanted = flat(field.value);
  for (const row of rows) setHidden(row, !flat(row.textContent).includes(wanted));
  setText(byId("none"), rows.length && rows.every((row) => row.hidden) ? page.label.nothing_found : "");
}

function choose(event) {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  location.replace(link.href);
}

startExit();
startCover();
field.addEventListener("input", narrow);
towns.addEventListener("click", choose);
