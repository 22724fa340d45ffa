// What the server put into this page for its scripts, and where things are on it.

export const root = document.documentElement;
export const page = JSON.parse(document.body.dataset.page);

export function byId(id) {
  return document.getElementById(id);
}
