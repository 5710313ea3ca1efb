// Who did what, newest first.

import { get } from "./api.js";
import { $, el, fill, nothing, setText, table } from "./dom.js";
import { stamp } from "./format.js";
import { every, listen } from "./live.js";
import { pairs } from "./records.js";

const PAGE = 100;
const MOST_FIELDS = 4; // of a whole record only the names are shown until somebody wants more
const LONG = 240; // characters
const DAYS_30 = 30 * 86_400_000;
let items = [];
let next = null;

/** What a change has changed: of two records, the fields that differ. */
function changed({ before, after, ...rest }) {
  if (before === undefined && after === undefined) return folded(rest);
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const text = (value) => (value === undefined ? "nothing" : typeof value === "string" ? value : JSON.stringify(value));
  const fields = names.map((name) => [name, text(before?.[name]), text(after?.[name])]).filter(([, old, now]) => old !== now)
    .map(([name, old, now]) => [name, before ? `${old} → ${now}` : now]);
  const others = Object.entries(rest).filter(([, value]) => value !== "" && value !== null);
  return folded(Object.fromEntries([...(after ? fields : [["removed", "yes"]]), ...others]));
}

function folded(fields) {
  const names = Object.keys(fields);
  const isLong = names.length > MOST_FIELDS || JSON.stringify(fields).length > LONG;
  return isLong ? el("details", {}, el("summary", {}, names.join(", ")), pairs(fields)) : pairs(fields);
}

const wish = () => ({ since: Date.now() - DAYS_30, limit: PAGE });

function show() {
  const words = $("filter").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const seen = items.filter((row) => words.every((word) => JSON.stringify(row).toLowerCase().includes(word)));
  fill($("audit"), seen.length ? table(["time", "who", "what", "of", "data"], seen.map((row) => [el("time", {}, stamp(row.ts)), row.by, el("b", {}, row.what), row.subject, changed(row.data ?? {})]),
    "records audit") : nothing("Nothing of that kind in the last 30 days."));
  $("more").hidden = next === null;
}

async function read() {
  if (items.length > PAGE) return;
  ({ items, next } = await get("/audit", wish()));
  show();
}

async function more() {
  const page = await get("/audit", { ...wish(), before: next });
  items = items.concat(page.items);
  next = page.next;
  show();
}

$("more").addEventListener("click", () => more().catch((error) => setText($("problem"), error.message)));
$("filter").addEventListener("input", show);
const live = listen({}, read);
every(10_000, () => live.refresh());
