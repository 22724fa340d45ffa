// Leaving at once, and hiding when nobody touched the page for a while. On every page; needs nothing else.
var doc = document, root = doc.documentElement;
var page = JSON.parse(doc.body.getAttribute("data-page"));
var gone = false, onLeave = [], onShow = [];
var IDLE_MS = 5 * 60 * 1000, PRESS_MS = 5000, PRESSES = 3;

function byId(id) { return doc.getElementById(id); }

// The overlay first, then forgetting, then away. `replace` leaves no page of ours to come back to.
function leave(event) {
  if (event) event.preventDefault();
  gone = true;
  root.className = "gone";
  doc.title = "\u200b";
  try { sessionStorage.clear(); } catch (error) { /* nothing was kept */ }
  onLeave.forEach(function (stop) { stop(); });
  doc.body.textContent = "";
  location.replace(page.exit);
}

byId("exit").addEventListener("click", leave);

// Three times Shift, or three times Escape, within five seconds; any other key in between starts the count again.
var presses = [], held = "";
function say(text) { byId("steps").textContent = text; }

addEventListener("keydown", function (event) {
  if (event.repeat) return;
  if (held === "Shift" || (event.key !== "Shift" && event.key !== "Escape")) { presses = []; held = "other"; return; }
  held = event.key;
}, true);

addEventListener("keyup", function (event) {
  if (gone || event.key !== held) { if (event.key === "Shift" || event.key === "Escape") held = ""; return; }
  held = "";
  var now = Date.now();
  presses = presses.filter(function (p) { return p.key === event.key && now - p.at < PRESS_MS; });
  presses.push({ key: event.key, at: now });
  if (presses.length >= PRESSES) leave();
  else say(presses.length === 1 ? page.label.twice_more : page.label.once_more);
}, true);

// Five minutes without a touch: nothing to be seen until somebody taps.
var touched = Date.now(), cover = byId("blank"), before = null;
function touch() { if (cover.hidden) touched = Date.now(); }
function coverIfIdle() {
  if (gone || !cover.hidden || Date.now() - touched < IDLE_MS) return;
  before = doc.activeElement;
  root.classList.add("blanked");
  cover.hidden = false;
  cover.focus();
}
cover.addEventListener("click", function () {
  root.classList.remove("blanked");
  cover.hidden = true;
  touched = Date.now();
  if (before && before.focus) before.focus();
});
// Not "scroll": the page scrolls by itself when words arrive, and that is nobody.
["pointerdown", "keydown", "touchstart", "touchmove", "wheel", "mousemove"].forEach(function (kind) {
  addEventListener(kind, touch, { passive: true, capture: true });
});
setInterval(coverIfIdle, 5000);
doc.addEventListener("visibilitychange", function () {
  coverIfIdle();
  if (!doc.hidden) onShow.forEach(function (wake) { wake(); });
});

// A page that comes back out of the browser's memory is never trusted to still be the right one.
addEventListener("pageshow", function (event) {
  if (!event.persisted) return;
  root.className = "gone";
  if (gone) location.replace(page.exit); else location.reload();
});
