// Drawing messages. Text becomes text nodes and nothing else. A browser that lacks what we need keeps the plain form.
if (!window.fetch || !window.AbortController || !window.crypto || !Element.prototype.closest) return;
root.classList.add("js");
var log = byId("log"), quick = byId("quick"), noticeBox = byId("notice"), stateLine = byId("state"), box = byId("text");
var RTL = { ar: 1, fa: 1, he: 1, ps: 1, ur: 1, ckb: 1 };
var numbers = page.numbers.slice().sort(function (a, b) { return b[0].length - a[0].length; });
var tooManyMarks = null;
try { tooManyMarks = new RegExp("(\\p{M}{4})\\p{M}+", "gu"); } catch (error) { /* an old phone: the bubble clips them */ }

function make(tag, kind, text) {
  var element = doc.createElement(tag);
  if (kind) element.className = kind;
  if (text) element.textContent = text;
  return element;
}

function harmless(text) {
  var safe = text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, "\ufffd");
  return tooManyMarks ? safe.replace(tooManyMarks, "$1") : safe;
}

// In our own sentences the numbers can be called.
function linked(element, text) {
  var rest = text;
  element.textContent = "";
  while (rest) {
    var at = -1, hit = null;
    for (var i = 0; i < numbers.length; i++) {
      var found = rest.indexOf(numbers[i][0]);
      if (found >= 0 && (at < 0 || found < at)) { at = found; hit = numbers[i]; }
    }
    if (!hit) break;
    element.appendChild(doc.createTextNode(rest.slice(0, at)));
    var link = make("a", "", hit[0]);
    link.href = "tel:" + hit[1];
    link.dir = "ltr";
    element.appendChild(link);
    rest = rest.slice(at + hit[0].length);
  }
  element.appendChild(doc.createTextNode(rest));
}

function two(number) { return (number < 10 ? "0" : "") + number; }
function clock(at) { var t = new Date(at); return two(t.getHours()) + ":" + two(t.getMinutes()); }

function bubble(line) {
  var bot = line.role === "bot", mine = line.role === "child";
  var b = make("div", "b " + (bot ? "bot" : mine ? "me" : "human"));
  b.appendChild(make("span", "who", bot ? page.label.bot : mine ? page.label.me : line.name || page.label.human));
  var words = make("p", "words");
  words.dir = bot ? (RTL[line.lang] ? "rtl" : "ltr") : "auto";
  words.lang = bot ? line.lang : "";
  if (bot) linked(words, line.text); else words.textContent = harmless(line.text).trim() ? harmless(line.text) : page.label.empty;
  b.appendChild(words);
  b.appendChild(make("span", "meta", line.at ? clock(line.at) + (mine ? " \u2713 " + page.label.stored : "") : ""));
  return b;
}

function waitingBubble(text) {
  var b = bubble({ role: "child", text: text });
  b.classList.add("waits");
  b.lastChild.textContent = page.label.pending + "\u2026";
  return b;
}

function markStored(b, at) {
  b.classList.remove("waits");
  b.lastChild.textContent = clock(at) + " \u2713 " + page.label.stored;
}

function showButtons(buttons) {
  quick.textContent = "";
  (buttons || []).forEach(function (title) {
    var chip = make("button", "chip", title);
    chip.type = "button";
    chip.addEventListener("click", function () { submit(title); });
    quick.appendChild(chip);
  });
}

function notice(text) {
  if (noticeBox.textContent === text) return;
  linked(noticeBox, text || "");
  if (text) noticeBox.scrollIntoView({ block: "nearest" });
}

// Where the page stands is ours to say until somebody scrolls; from then on a button tells that there is something new.
var placed = true, newer = byId("new");
function atEnd() { return innerHeight + pageYOffset > doc.body.scrollHeight - 100; }
function toEnd() { placed = true; newer.hidden = true; scrollTo(0, doc.body.scrollHeight); }
function arrivedBelow(first) {
  if (!placed && !atEnd()) { newer.hidden = false; return; }
  toEnd(); // a text longer than the window is read from its beginning
  if (first && first.getBoundingClientRect().top < doc.querySelector(".bar").offsetHeight) first.scrollIntoView({ block: "start" });
}
["wheel", "touchmove"].forEach(function (kind) { addEventListener(kind, function () { placed = false; }, { passive: true }); });
addEventListener("keydown", function (event) { if (/^(Page|Home|Arrow)/.test(event.key) && event.target !== box) placed = false; });
addEventListener("scroll", function () { if (atEnd()) newer.hidden = true; }, { passive: true });
newer.addEventListener("click", toEnd);
// What the child wrote last stands at the top of the window, so that the answer is read from its beginning.
function toMine() {
  var mine = log.querySelectorAll(".me");
  placed = true;
  if (mine.length) mine[mine.length - 1].scrollIntoView({ block: "start" });
}
function showState(s) {
  if (s.duty !== undefined) linked(byId("duty"), s.duty);
  if (s.numbers) linked(byId("numbers"), s.numbers);
  if (s.extra !== undefined && byId("extra")) byId("extra").hidden = !s.extra;
  if (s.trouble) page.trouble = s.trouble;
  if (s.stopped) page.stopped = s.stopped;
  if (s.line === undefined) return;
  stateLine.textContent = s.line;
  stateLine.className = "state " + (s.state || "");
  fit();
}

// With large letters, or the keyboard open, the words get the room: the numbers scroll away with them, then the box does too.
function fit() {
  var bar = doc.querySelector(".bar").offsetHeight, foot = doc.querySelector("footer").offsetHeight;
  root.classList.toggle("tight", bar + foot + doc.querySelector(".calls").offsetHeight > innerHeight * 0.5);
  root.classList.toggle("tighter", bar + foot > innerHeight * 0.6);
}
addEventListener("resize", fit);

function grow() {
  box.style.height = "auto";
  box.style.height = box.scrollHeight + 2 + "px";
  fit();
}
