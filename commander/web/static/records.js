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

export function showLogs(place, items) {
  fill(place, items.length ? items.map((line) => el("div", { class: `line is-${line.level}` },
    el("time", {}, stamp(line.ts)), el("span", { class: "level" }, line.level), el("span", { class: "text" }, line.text)))
    : nothing("No log lines in the last 24 hours."));
}

/** Alerts as a stack of notes, newest first; `more(alert)` gives what stands behind each. */
export function showAlerts(place, alerts, more = () => null) {
  const order = [...alerts].sort((a, b) => b.since - a.since);
  fill(place, order.map((alert) => el("div", { class: `alert is-${alert.severity}`, role: "status" },
    badge(alert.severity), el("p", {}, alert.text), el("small", {}, `${alert.device} · ${alert.name} · since ${stamp(alert.since)}`),
    more(alert))));
}
