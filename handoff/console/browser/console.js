// Starts the live parts of a signed-in page. Everything also works without: forms, links and the reload button.

import { play, setUp } from "./attention.js";
import { refreshChat, startChat } from "./chat.js";
import { setHidden, setText } from "./dom.js";
import { listen } from "./live.js";
import { Gone } from "./net.js";
import { refreshQueue, remind, retitle, start } from "./queue.js";
import { tick } from "./time.js";

const connection = document.getElementById("verbinding");
let out = false;

function signedOut(leading) {
  if (out) return;
  out = true;
  const hadChat = document.getElementById("gesprek");
  const draft = hadChat ? document.getElementById("tekst").value : "";
  const message = document.createElement("p");
  message.className = "utrecht-paragraph";
  message.textContent = "U bent uitgelogd. U telt niet meer als aanwezig. ";
  const link = document.createElement("a");
  link.className = "utrecht-link utrecht-link--html-a";
  link.href = "/inloggen";
  link.textContent = "Opnieuw inloggen";
  message.append(link);
  const rest = [message];
  if (draft) {
    const kept = document.createElement("textarea");
    kept.className = "utrecht-textarea utrecht-textarea--html-textarea";
    kept.readOnly = true;
    kept.rows = 6;
    kept.value = draft;
    kept.setAttribute("aria-label", "Dit is niet verstuurd");
    rest.push(kept);
  }
  document.getElementById("inhoud").replaceChildren(...rest);
  connection.hidden = true;
  document.title = "Uitgelogd – Praat erover";
  message.setAttribute("role", "alert");
  if (leading) play("out");
}

async function careful(work, leading) {
  try {
    await work();
  } catch (error) {
    if (error instanceof Gone) signedOut(leading);
  }
}

function onEvent(name, leading) {
  if (out) return;
  if (name === "uit") signedOut(leading);
  if (name === "wachtrij") careful(() => refreshQueue(leading), leading);
  if (name === "gesprek" || name === "klop") careful(refreshChat, leading);
  if (name === "klop") {
    remind(leading);
    careful(() => refreshQueue(leading), leading);
  }
}

function onConnection(up) {
  if (out) return;
  setHidden(connection, up);
  setText(connection, up ? "" : "Geen verbinding. We proberen het steeds opnieuw. Na een minuut telt u niet meer als aanwezig.");
}

setUp(retitle);
start();
startChat();
listen(onEvent, onConnection);
setInterval(tick, 1000);
document.documentElement.classList.add("js"); // from here on the page lives: what is for pages that do not goes
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
