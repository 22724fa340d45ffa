// Drawing attention: a sound made here (no file), and the number of waiting children in the title. Both can be switched off;
// these two switches are all that this browser remembers.

import { setText } from "./dom.js";

const KEYS = { sound: "praat-geluid", title: "praat-titel" };
const plainTitle = document.title;
let audio = null;

export function wanted(what) {
  try {
    return localStorage.getItem(KEYS[what]) !== "uit";
  } catch {
    return true;
  }
}

function remember(what, on) {
  try {
    if (on) localStorage.removeItem(KEYS[what]);
    else localStorage.setItem(KEYS[what], "uit");
  } catch {
    // this browser keeps nothing: the switch holds until the page is closed
  }
}

function ready() {
  if (!audio && "AudioContext" in window) audio = new AudioContext();
  return audio;
}

// Each note begins quietly and swells: a sudden loud tone in an office is no help to anybody.
function note(at, pitch, loud) {
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(0.0001, at);
  volume.gain.exponentialRampToValueAtTime(loud, at + 0.18);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.55);
  tone.connect(volume).connect(audio.destination);
  tone.start(at);
  tone.stop(at + 0.6);
}

const TUNES = { waiting: [523, 659], acute: [659, 880, 659, 880], message: [587], out: [440, 330] };

export async function play(name, force = false) {
  if (!force && !wanted("sound")) return;
  if (!ready()) return;
  if (audio.state === "suspended") await Promise.race([audio.resume(), new Promise((go) => setTimeout(go, 300))]);
  document.documentElement.dataset.geluid = audio.state; // "running" or "suspended": the browser wants a click first
  warn();
  if (audio.state !== "running") return;
  TUNES[name].forEach((pitch, i) => note(audio.currentTime + 0.02 + i * 0.35, pitch, name === "acute" ? 0.3 : 0.18));
  document.documentElement.dataset.laatstGeluid = `${name} ${(Number(document.documentElement.dataset.keren) || 0) + 1}`;
  document.documentElement.dataset.keren = String((Number(document.documentElement.dataset.keren) || 0) + 1);
}

function warn() {
  const place = document.getElementById("geluid-uit");
  if (!place) return;
  const blocked = wanted("sound") && audio && audio.state !== "running";
  setText(place, blocked ? "Uw browser houdt het geluid tegen. Klik één keer ergens op de pagina." : "");
}

export function title(waiting, unread) {
  const shown = wanted("title") && waiting ? `(${waiting}) ` : "";
  const dot = wanted("title") && unread ? "● " : "";
  const text = `${shown}${dot}${plainTitle}`;
  if (document.title !== text) document.title = text;
}

export function setUp(onChange) {
  const unlock = () => {
    if (ready() && audio.state === "suspended") audio.resume().then(warn, () => {});
  };
  addEventListener("pointerdown", unlock);
  addEventListener("keydown", unlock);
  const section = document.getElementById("aandacht");
  if (!section) return;
  section.hidden = false;
  for (const [id, what] of [["geluid", "sound"], ["titel", "title"]]) {
    const box = document.getElementById(id);
    box.checked = wanted(what);
    box.addEventListener("change", () => {
      remember(what, box.checked);
      onChange();
    });
  }
  document.getElementById("proef").addEventListener("click", () => play("waiting", true));
}
