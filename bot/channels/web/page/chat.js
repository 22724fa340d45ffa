// Sending: shown at once, kept until it is stored, sent once however often the network fails.
var KEY = "p-" + page.slug, SEND_MS = 15000;
var token = null, last = 0, queue = [], sending = false, tries = 0, retryTimer = 0, failed = null, claimed = false, inFlight = Promise.resolve();

function random(bytes) {
  var raw = crypto.getRandomValues(new Uint8Array(bytes)), text = "";
  for (var i = 0; i < raw.length; i++) text += String.fromCharCode(raw[i]);
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

// Only this tab knows the token: a new tab starts empty. What waits to be sent survives a reload, nothing else does.
function remember() {
  try {
    if (!token || gone) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, JSON.stringify({ token: token, queue: queue.map(function (m) { return [m.id, m.text]; }) }));
  } catch (error) { /* storage is off: the chat lives as long as the page */ }
}

function recall() {
  try { return JSON.parse(sessionStorage.getItem(KEY)); } catch (error) { return null; }
}

async function call(path, body, options) {
  var stop = new AbortController(), timer = setTimeout(function () { stop.abort(); }, SEND_MS);
  var headers = { Authorization: "Bearer " + token };
  if (body) headers["Content-Type"] = "application/json";
  try {
    return await fetch("/api/" + page.slug + path, Object.assign({
      method: body ? "POST" : "GET", headers: headers, body: body ? JSON.stringify(body) : undefined, signal: stop.signal,
      cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer", redirect: "error"
    }, options));
  } finally { clearTimeout(timer); }
}

function submit(text) {
  if (gone) return;
  if (text.length > page.limit && Array.from(text).length > page.limit) { notice(page.too_long); return; }
  notice("");
  if (!token) token = random(32);
  var message = { id: failed && failed.text === text ? failed.id : random(12), text: text, bubble: waitingBubble(text) };
  failed = null;
  queue.push(message);
  log.appendChild(message.bubble);
  showButtons([]);
  remember();
  toEnd();
  flush();
}

// What was not stored goes back into the box, to be read, changed or sent again.
function giveBack() {
  var texts = queue.map(function (m) { return m.text; });
  failed = queue.length === 1 ? queue[0] : null;
  queue.forEach(function (m) { m.bubble.remove(); });
  queue = [];
  if (box.value) texts.push(box.value);
  remember();
  return texts.join("\n");
}

function refused(status, text) {
  var kept = giveBack();
  tries = 0;
  if (status === 404) { var old = failed; fresh(page.stopped); failed = old; } else notice(text || page.trouble);
  box.value = kept;
  grow();
  box.focus();
}

function flush() {
  if (sending || !queue.length || gone) return;
  sending = true;
  clearTimeout(retryTimer);
  inFlight = deliver(queue[0], token).then(function () {
    sending = false;
    if (queue.length && tries === 0) flush();
    if (token && last) listen();
  });
}

async function deliver(message, mine) {
  var answer = null, said = null;
  try {
    answer = await call("/messages", { id: message.id, text: message.text, after: last });
    said = await answer.json();
  } catch (error) { /* no network, or an answer that is not ours */ }
  if (token !== mine || gone) return;
  if (answer && answer.ok && said) { tries = 0; notice(""); reconnect(); got(said, true); settle(message, new Date().toISOString()); }
  else if (answer && answer.status >= 400) refused(answer.status, said && said.text);
  else offline();
}

function offline() {
  tries += 1;
  notice(page.offline);
  retryTimer = setTimeout(flush, Math.min(30000, 1000 * Math.pow(2, tries - 1)) * (0.5 + Math.random()));
}

function settle(message, at) {
  if (queue.indexOf(message) < 0) return;
  queue = queue.filter(function (m) { return m !== message; });
  markStored(message.bubble, at);
  remember();
  if (!queue.length) { tries = 0; clearTimeout(retryTimer); if (noticeBox.textContent === page.offline) notice(""); }
}

// Lines come by several ways, so each is drawn once, by its number, in order, above what still waits.
function got(snapshot, answered) {
  if (gone || !token) return;
  var buttons = null, some = false, first = null;
  snapshot.messages.forEach(function (line) {
    if (line.seq <= last) return;
    last = line.seq;
    some = true;
    var own = line.id && queue.filter(function (m) { return m.id === line.id; })[0];
    if (own) settle(own, line.at);
    else { var drawn = log.insertBefore(bubble(line), queue.length ? queue[0].bubble : null); first = first || drawn; }
    if (line.role !== "child") { buttons = line.buttons; arrived(); }
  });
  if (snapshot.state) { claimed = snapshot.state === "claimed"; showState(snapshot); }
  if (claimed) showButtons([]); else if (buttons && !queue.length) showButtons(buttons);
  if (answered) toMine(); else if (some) arrivedBelow(first);
}

var arrivedTimer = 0;
function arrived() {
  clearTimeout(arrivedTimer);
  arrivedTimer = setTimeout(function () {
    if (token && !gone) call("/received", { seq: last }).catch(function () { /* the next one confirms this too */ });
  }, 300);
}

function fresh(text) {
  token = null; last = 0; queue = []; failed = null; claimed = false; tries = 0;
  clearTimeout(retryTimer);
  clearTimeout(arrivedTimer);
  hangUp();
  remember();
  log.textContent = ""; box.value = ""; grow();
  showState({ line: "", state: "" });
  showButtons(page.buttons);
  byId("erase").open = false;
  notice(text);
}

byId("erase-now").addEventListener("click", async function (event) {
  event.preventDefault();
  queue.slice(sending ? 1 : 0).forEach(function (m) { m.bubble.remove(); });
  queue = sending ? queue.slice(0, 1) : [];
  await inFlight;
  if (!token) { fresh(page.stopped); noticeBox.focus(); return; }
  try {
    var answer = await call("/erase", {});
    var said = await answer.json().catch(function () { return {}; });
    if (answer.ok || answer.status === 404) { fresh(answer.ok ? said.text : page.stopped); noticeBox.focus(); }
    else notice(said.text || page.trouble);
  } catch (error) { notice(page.trouble); }
});

byId("f").addEventListener("submit", function (event) {
  event.preventDefault();
  var text = box.value;
  if (Array.from(text).length <= page.limit) { box.value = ""; grow(); }
  submit(text);
  box.focus();
});
box.addEventListener("input", grow);
box.addEventListener("keydown", function (event) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || !matchMedia("(pointer: fine)").matches) return;
  event.preventDefault();
  byId("f").requestSubmit ? byId("f").requestSubmit() : byId("f").querySelector(".send").click();
});
