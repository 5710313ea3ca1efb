// Rows of things that happened, for the pages that list them.

import { badge, el, fill, nodeLink, nothing, table } from "./dom.js";
import { stamp } from "./format.js";

/** Fields of an event as `name value` pairs. */
export function pairs(data) {
  return el("span", { class: "pairs" }, Object.entries(data ?? {}).map(([name, value]) => el("span", {},
    el("i", {}, name), ` ${value !== null && typeof value === "object" ? JSON.stringify(value) : String(value)}`)));
}

export function showEvents(place, items, withNode = true) {
  const rows = items.map((row) => [el("time", {}, stamp(row.ts)), withNode ? nodeLink(row.node) : null,
    el("span", {}, row.device), badge(row.type, "event"), pairs(row.data)].filter((cell) => cell !== null));
  const heads = ["time", withNode ? "node" : null, "device", "event", "data"].filter(Boolean);
  fill(place, items.length ? table(heads, rows, "records") : nothing("No events in the last 24 hours."));
}
