// Waiting times that count on by themselves, in the same form as the server writes them (handoff/console/rendering.py).

let ahead = 0; // how far this computer's clock is ahead of the server's, in ms

// Computers are often minutes wrong: what counts is the server's clock, which every queue page brings along.
export function trustServerClock(iso) {
  const now = Date.now() - Date.parse(iso || "");
  if (!Number.isNaN(now) && Math.abs(now - ahead) > 1500) ahead = now;
}

function waited(since) {
  const seconds = Math.max(0, Math.floor((Date.now() - ahead - since) / 1000));
  const two = (n) => String(n).padStart(2, "0");
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} u ${two(Math.floor((seconds % 3600) / 60))} min`;
}

export function tick(root = document) {
  for (const timer of root.querySelectorAll("time[data-since]")) {
    const text = waited(Date.parse(timer.dataset.since));
    if (timer.textContent !== text) timer.textContent = text;
  }
}
