// What the page says by itself: notices, who is there, how the chat stands, and the quick replies.

import { make, setClass, setHidden, setLinked, setText } from "./dom.js";
import { byId, page } from "./page.js";
import { fit } from "./place.js";

const noticeBox = byId("notice");
const quick = byId("quick");
let onPick = () => {};

export function notice(text) {
  if (noticeBox.textContent === text) return;
  setLinked(noticeBox, text);
  if (text) noticeBox.scrollIntoView({ block: "nearest" });
}

export function endNotice(text) {
  if (noticeBox.textContent === text) notice("");
}

function showLine(line, kind) {
  const box = byId("state");
  if (box.textContent === line && box.className === `state ${kind}`) return;
  setText(box, line);
  setClass(box, `state ${kind}`);
  fit();
}

// `news` is what the server tells of a chat, or of the place before there is one; what it leaves out stays as it is.
export function showState(news) {
  const extra = byId("extra");
  if (news.duty !== undefined) setLinked(byId("duty"), news.duty);
  if (news.numbers) setLinked(byId("numbers"), news.numbers);
  if (news.extra !== undefined && extra) setHidden(extra, !news.extra);
  if (news.trouble) page.trouble = news.trouble;
  if (news.stopped) page.stopped = news.stopped;
  if (news.line !== undefined) showLine(news.line, news.state || "");
}

function chip(title) {
  const made = make("button", "chip", title);
  made.type = "button";
  made.addEventListener("click", () => onPick(title));
  return made;
}

export function showQuick(titles) {
  quick.textContent = "";
  for (const title of titles || []) quick.append(chip(title));
}

// `work` gets the title of a quick reply that was pressed.
export function onQuick(work) {
  onPick = work;
}
