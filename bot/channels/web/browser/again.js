// The page as it was before the first word.

import { endChat } from "./chat.js";
import { byId, page } from "./page.js";
import { growBox } from "./place.js";
import { notice, showQuick, showState } from "./state.js";

export function startAgain(text) {
  endChat();
  byId("log").textContent = "";
  byId("text").value = "";
  growBox();
  showState({ line: "", state: "" });
  showQuick(page.buttons);
  byId("erase").open = false;
  notice(text);
}
