// A page that says that something went wrong: one can leave it as quickly as any other.

import { startCover } from "./cover.js";
import { startExit } from "./exit.js";

startExit();
startCover();
