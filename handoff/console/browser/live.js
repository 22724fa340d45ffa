// One stream for all tabs of this browser: the tab that holds the lock listens, and passes on to the others what it hears.
// (A browser opens only six connections to one server; a stream per tab would use them up.)

const NAMES = ["wachtrij", "gesprek", "klop", "uit"];
const PATIENCE_MS = 40000; // a stream beats every 25 seconds; one that is silent this long does not come through
const POLL_MS = 10000;

export function listen(onEvent, onConnection) {
  const others = "BroadcastChannel" in window ? new BroadcastChannel("praat-console") : null;
  if (others) others.onmessage = (message) => hear(message.data);

  function hear(data) {
    if ("up" in data) onConnection(data.up);
    else onEvent(data.name, false);
  }
  function tell(data) {
    if (others) others.postMessage(data);
    if ("up" in data) onConnection(data.up);
    else onEvent(data.name, true);
  }

  const lead = () => new Promise((done) => run(tell, done));
  if (navigator.locks) navigator.locks.request("praat-stroom", lead);
  else lead();
}

function run(tell, done) {
  let source = null;
  let heard = Date.now();
  let ended = false;
  let up = true;
  let beaten = Date.now();

  function connection(now) {
    if (now !== up || now) tell({ up: now });
    up = now;
  }
  function open() {
    if (ended) return;
    source = new EventSource("/stroom");
    for (const name of NAMES) source.addEventListener(name, () => receive(name));
    source.onopen = () => {
      heard = Date.now();
      connection(true);
      tell({ name: "wachtrij" }); // what happened while nobody listened
      tell({ name: "gesprek" });
    };
    source.onerror = () => {
      connection(false);
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 3000 + Math.random() * 2000);
    };
  }
  function receive(name) {
    heard = Date.now();
    tell({ name });
    if (name !== "uit") return;
    ended = true;
    source.close();
    clearInterval(poll);
    done();
  }
  async function beat() {
    try {
      const answer = await fetch("/klop", { method: "POST", headers: { "X-Console": "1" }, signal: AbortSignal.timeout(8000) });
      if (answer.status === 401) receive("uit");
      else connection(answer.ok);
    } catch {
      connection(false);
    }
  }
  const poll = setInterval(() => {
    if (source.readyState === EventSource.OPEN && Date.now() - heard < PATIENCE_MS) return;
    if (Date.now() - beaten >= 20000) {
      beaten = Date.now();
      beat();
    }
    tell({ name: "wachtrij" });
    tell({ name: "gesprek" });
  }, POLL_MS);
  open();
}
