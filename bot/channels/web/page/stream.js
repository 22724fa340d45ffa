// Listening: a stream that goes on where it stopped; when streams do not get through, asking every few seconds.
var SILENCE_MS = 25000, ASK_MS = 3000, STATUS_MS = 30000;
var listening = false, current = null, failures = 0, asked = 0, wakeUp = null;
var canStream = typeof ReadableStream === "function" && typeof TextDecoder === "function";

function pause(ms) {
  return new Promise(function (done) {
    var timer = setTimeout(done, ms);
    wakeUp = function () { clearTimeout(timer); done(); };
  });
}

// The network works again: do not sit out the rest of a long pause.
function reconnect() { if (failures && wakeUp) { failures = 1; wakeUp(); } }

function hangUp() {
  if (current) current.abort();
  if (wakeUp) wakeUp();
}

async function listen() {
  if (listening || gone) return;
  listening = true;
  while (token && !gone) {
    var mine = token;
    try {
      if (canStream && failures < 2) await stream(mine); else await ask(mine);
    } catch (error) {
      if (token !== mine) continue;
      failures += 1;
      if (failures > 1) showState({ line: page.label.no_line, state: "" });
      await pause(Math.min(claimed ? 8000 : 30000, 1000 * Math.pow(2, failures - 1)) * (0.5 + Math.random()));
    }
  }
  listening = false;
}

async function stream(mine) {
  var stop = current = new AbortController(), watch = 0, alive = false;
  function heard() { clearTimeout(watch); watch = setTimeout(function () { stop.abort(); }, SILENCE_MS); }
  heard();
  try {
    var answer = await fetch("/api/" + page.slug + "/stream", {
      headers: { Authorization: "Bearer " + mine, "Last-Event-ID": String(last) }, signal: stop.signal,
      cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer", redirect: "error"
    });
    if (answer.status === 404) { if (token === mine) fresh(page.stopped); return; }
    if (!answer.ok || !answer.body) throw new Error("no stream");
    if (failures) arrived(); // what was shown while the confirmation was lost
    var reader = answer.body.getReader(), decoder = new TextDecoder(), text = "";
    for (;;) {
      var piece = await reader.read();
      if (piece.done) break;
      heard();
      text += decoder.decode(piece.value, { stream: true });
      var events = text.split("\n\n");
      text = events.pop();
      for (var i = 0; i < events.length; i++) { if (token === mine) hear(events[i]); alive = true; failures = 0; }
    }
    if (!alive) throw new Error("an empty stream");
    await pause(500 + 1000 * Math.random());
  } finally { clearTimeout(watch); stop.abort(); }
}

function hear(event) {
  var kind = "", data = "";
  event.split("\n").forEach(function (line) {
    if (line.indexOf("event: ") === 0) kind = line.slice(7);
    if (line.indexOf("data: ") === 0) data += line.slice(6);
  });
  if (kind === "message") got({ messages: [JSON.parse(data)] });
  else if (kind === "state") got(Object.assign({ messages: [] }, JSON.parse(data)));
  else if (kind === "gone") fresh(page.stopped);
}

async function ask(mine) {
  var answer = await call("/messages?after=" + last);
  if (token !== mine) return;
  if (answer.status === 404) { fresh(page.stopped); return; }
  if (!answer.ok) throw new Error("no answer");
  got(await answer.json());
  if (++asked % 20 === 0) failures = 1;
  await pause(doc.hidden ? 5 * ASK_MS : ASK_MS);
}

// Before there is a chat: who is there now, and whether what was broken works again.
async function status() {
  if (gone || (token && last) || doc.hidden) return;
  try {
    var answer = await fetch("/api/" + page.slug + "/status", { cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" });
    if (!answer.ok) return;
    var now = await answer.json();
    showState(now);
    if (now.on_duty !== null && doc.querySelector("footer").hidden) {
      doc.querySelector("footer").hidden = false;
      doc.querySelector("main").className = "";
      notice("");
    }
  } catch (error) { /* the next time */ }
}
setInterval(status, doc.querySelector("footer").hidden ? 5000 : STATUS_MS);

function online() { if (tries) { tries = 0; flush(); } if (token && last) { failures = Math.min(failures, 1); hangUp(); listen(); } status(); }
addEventListener("online", online);
onShow.push(function () { if (tries) flush(); if (wakeUp) wakeUp(); status(); });
onLeave.push(function () { token = null; queue = []; hangUp(); });
addEventListener("pagehide", hangUp);

// A chat that the form began without script goes on here; so does one that was in this tab before a reload.
function start() {
  var kept = recall(), field = doc.querySelector("input[name=token]");
  if (page.known) kept = { token: field.value, queue: kept && kept.token === field.value ? kept.queue : [] };
  field.remove();
  if (!page.known) { showButtons(page.buttons); }
  grow();
  if (!kept || !kept.token) return;
  token = kept.token;
  log.textContent = "";
  showButtons([]);
  remember();
  resume(kept.queue || []);
}

async function resume(waiting) {
  var mine = token;
  waiting.forEach(function (m) {
    var message = { id: m[0], text: m[1], bubble: waitingBubble(m[1]) };
    queue.push(message);
    log.appendChild(message.bubble);
  });
  remember();
  try {
    var answer = await call("/messages?after=0");
    if (token !== mine) return;
    if (answer.ok) { got(await answer.json()); toEnd(); }
    else if (answer.status === 404 && !queue.length) { token = null; remember(); showButtons(page.buttons); return; }
    else if (answer.status !== 404) notice(page.trouble);
  } catch (error) { notice(page.offline); }
  if (queue.length) flush(); else listen();
}
start();
