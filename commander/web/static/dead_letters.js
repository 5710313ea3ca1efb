// What was refused, and from whom.

import { get } from "./api.js";
import { $, el, fill, nothing, setText, table } from "./dom.js";
import { number, stamp } from "./format.js";
import { every, listen } from "./live.js";

const PAGE = 100;
let items = [];
let next = null;

function show(senders) {
  if (senders) fill($("senders"), senders.length ? table(["sender", "refused", "last"],
    senders.map((row) => [row.sender, number(row.count), stamp(row.last)]), "records") : nothing("Nobody was refused."));
  const rows = items.map((row) => [el("time", {}, stamp(row.ts)), row.sender, el("code", {}, row.topic),
    el("span", {}, el("b", {}, row.field), ` ${row.problem}`), el("code", { class: "payload" }, row.payload)]);
  fill($("letters"), rows.length ? table(["time", "sender", "topic", "problem", "payload"], rows, "records") : nothing("No dead letters in the last 24 hours."));
  $("more").hidden = next === null;
}

async function read() {
  if (items.length > PAGE) return;
  const page = await get("/dead-letters", { limit: PAGE });
  ({ items, next } = page);
  show(page.senders);
}

async function more() {
  const page = await get("/dead-letters", { limit: PAGE, before: next });
  items = items.concat(page.items);
  next = page.next;
  show();
}

$("more").addEventListener("click", () => more().catch((error) => setText($("problem"), error.message)));
const live = listen({}, read);
every(5_000, live.refresh);
