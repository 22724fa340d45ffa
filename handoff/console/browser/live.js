// One stream for all tabs of this browser: the tab that holds the lock listens, and passes on to the others what it hears.
// (A browser opens only six connections to one server; a stream per tab would use them up.)

const NAMES = ["wachtrij", "gesprek", "klop", "uit"];
const FIRST_MS = 5000; // the server speaks at once; later than this, something in between holds the stream back
const PATIENCE_MS = 40000; // a stream beats every 25 seconds; one that is silent this long does not come through
const POLL_MS = 5000;
const BEAT_MS = 20000;
const GIVE_UP_MS = 8000;

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

  const lead = () => new Promise((done) => new Stream(tell, done));
  if (navigator.locks) navigator.locks.request("praat-stroom", lead);
  else lead();
}

class Stream {
  constructor(tell, done) {
    this.tell = tell;
    this.done = done;
    this.up = true;
    this.ended = false;
    this.beaten = Date.now();
    this.poll = setInterval(() => this.pollIfSilent(), POLL_MS);
    this.open();
  }

  open() {
    if (this.ended) return;
    this.source = new EventSource("/stroom");
    for (const name of NAMES) this.source.addEventListener(name, () => this.receive(name));
    this.source.onopen = () => {
      this.opened = Date.now();
      this.heard = 0; // when the last event came on this connection
      this.connection(true);
      this.lookAgain(); // what happened while nobody listened
    };
    this.source.onerror = () => {
      this.connection(false);
      if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.open(), 3000 + Math.random() * 2000);
    };
  }

  connection(now) {
    if (now !== this.up || now) this.tell({ up: now });
    this.up = now;
  }

  lookAgain() {
    this.tell({ name: "wachtrij" });
    this.tell({ name: "gesprek" });
  }

  receive(name) {
    this.heard = Date.now();
    this.tell({ name });
    if (name !== "uit") return;
    this.ended = true;
    this.source.close();
    clearInterval(this.poll);
    this.done();
  }

  silent() {
    if (this.source.readyState !== EventSource.OPEN) return true;
    return this.heard ? Date.now() - this.heard > PATIENCE_MS : Date.now() - this.opened > FIRST_MS;
  }

  // Where streams do not come through, asking every few seconds does the same, the heartbeat included.
  pollIfSilent() {
    if (!this.silent()) return;
    if (Date.now() - this.beaten >= BEAT_MS) this.beat();
    this.lookAgain();
  }

  async beat() {
    this.beaten = Date.now();
    const asked = { method: "POST", headers: { "X-Console": "1" }, signal: AbortSignal.timeout(GIVE_UP_MS) };
    try {
      const answer = await fetch("/klop", asked);
      if (answer.status === 401) this.receive("uit");
      else this.connection(answer.ok);
    } catch {
      this.connection(false);
    }
  }
}
