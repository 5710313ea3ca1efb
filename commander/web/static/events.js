// Events of the whole farm, newest first, with a filter by node and type.

import { get } from "./api.js";
import { $, setText } from "./dom.js";
import { connected, every, listen, soon } from "./live.js";
import { showEvents } from "./records.js";

const PAGE = 100;
let items = [];
let next = null;

const wish = () => ({ node: $("node").value.trim(), type: $("type").value.trim(), limit: PAGE });

function show() {
  showEvents($("events"), items);
  $("more").hidden = next === null;
}

async function read() {
  ({ items, next } = await get("/events", wish()));
  show();
}

async function more() {
  const page = await get("/events", { ...wish(), before: next });
  items = items.concat(page.items);
  next = page.next;
  show();
}

const again = soon(700, () => items.length <= PAGE && read().catch(() => connected(false)));
$("more").addEventListener("click", () => more().catch((error) => setText($("problem"), error.message)));
for (const id of ["node", "type"]) $(id).addEventListener("input", soon(300, () => read()));
const live = listen({ event: again }, () => (items.length <= PAGE ? read() : Promise.resolve()));
every(20_000, live.refresh);
