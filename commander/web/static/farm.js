// The farm: a panel per domain, a row per node, kept live.

import { all, get } from "./api.js";
import { $, el, fill, nothing, setText } from "./dom.js";
import { ago } from "./format.js";
import { every, listen, soon } from "./live.js";
import { NodeRow } from "./row.js";

const ORDER = ["ready", "init", "sleeping", "unheard", "new", "unreachable", "disconnected", "lost"];
const rows = new Map();
const panels = new Map();
let domains = [];
let wanted = "";

function panelOf(name) {
  let panel = panels.get(name);
  if (!panel) {
    const links = el("span", { class: "links" });
    const count = el("span", { class: "count" });
    const list = el("div", { class: "rows" });
    const home = el("span", { class: "tag", hidden: true }, "home");
    panel = { links, count, list, home, element: el("section", { class: "panel domain", "data-domain": name },
      el("header", {}, el("h2", {}, name), home, links, count), list) };
    panels.set(name, panel);
    fill($("domains"), [...panels.keys()].sort().map((each) => panels.get(each).element));
  }
  return panel;
}

function showDomains() {
  for (const domain of domains) {
    const panel = panelOf(domain.name);
    panel.home.hidden = !domain.home;
    panel.element.classList.toggle("is-cut", !domain.up);
    const links = domain.links.map((link) => el("span", { class: `link ${link.up ? "is-up" : "is-down"}`,
      title: `${link.up ? "connected" : "cut"}${link.since ? `, since ${ago(link.since).replace(" ago", "")}` : ""}` }, link.name));
    const whole = el("span", { class: `link ${domain.up ? "is-up" : "is-down"}` }, domain.up ? "broker connected" : "not heard");
    fill(panel.links, links.length ? links : whole);
  }
}

function place(node) {
  let row = rows.get(node.id);
  if (!row || row.domain !== node.domain) {
    row?.element.remove();
    row = new NodeRow(node);
    rows.set(node.id, row);
    const list = panelOf(node.domain).list;
    const after = [...list.children].find((other) => other.dataset.order > row.order);
    list.insertBefore(row.element, after ?? null);
  }
  row.update(node);
}

async function readNodes() {
  const nodes = await all("/nodes", { units: true });
  const known = new Set(nodes.map((node) => node.id));
  for (const [id, row] of rows) {
    if (!known.has(id)) {
      row.element.remove();
      rows.delete(id);
    }
  }
  nodes.forEach(place);
  filter();
}

async function readState() {
  const [answer, alerts] = await Promise.all([get("/domains", { limit: 1000 }), all("/alerts")]);
  domains = answer.items;
  showDomains();
  const counts = new Map();
  for (const alert of alerts) {
    const known = counts.get(alert.node);
    const severe = alert.severity === "error" || alert.severity === "critical";
    counts.set(alert.node, { count: (known?.count ?? 0) + 1, severe: severe || Boolean(known?.severe) });
  }
  for (const row of rows.values()) row.alerts(counts.get(row.id));
}

function summary() {
  const counts = new Map();
  for (const row of rows.values()) counts.set(row.presence, (counts.get(row.presence) ?? 0) + 1);
  const chips = ORDER.filter((word) => counts.has(word)).map((word) => el("button", {
    type: "button", class: `chip is-${word}`, "aria-pressed": String(wanted === word),
    onclick: () => {
      wanted = wanted === word ? "" : word;
      filter();
    },
  }, el("b", {}, String(counts.get(word))), ` ${word}`));
  if (wanted && !counts.has(wanted)) wanted = "";
  fill($("summary"), chips);
}

function filter() {
  const words = $("filter").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const shown = new Map();
  for (const row of rows.values()) {
    const visible = (!wanted || row.presence === wanted) && words.every((word) => row.text.includes(word));
    row.element.hidden = !visible;
    const [seen, total] = shown.get(row.domain) ?? [0, 0];
    shown.set(row.domain, [seen + visible, total + 1]);
  }
  const filtered = words.length > 0 || wanted !== "";
  let any = false;
  for (const [name, panel] of panels) {
    const [seen, total] = shown.get(name) ?? [0, 0];
    setText(panel.count, filtered ? `${seen} of ${total} nodes` : `${total} ${total === 1 ? "node" : "nodes"}`);
    panel.element.hidden = filtered && !seen;
    any ||= !panel.element.hidden;
  }
  fill($("no-match"), any || !rows.size ? [] : nothing("No node is like that."));
  summary();
}

const refilter = soon(500, filter);
const reread = soon(1_000, () => live.refresh());
const dirty = new Set();
const draw = soon(500, () => {
  for (const row of dirty) row.draw();
  dirty.clear();
});

function onTelemetry({ node, device, part, ts, data }) {
  const row = rows.get(node);
  if (!row) return reread();
  row.measured(device, part, ts, data);
  dirty.add(row);
  draw();
}

function onNode({ id, domain, presence }) {
  const row = rows.get(id);
  if (!row || row.domain !== domain) return reread();
  row.show(presence);
  refilter();
}

const restate = soon(300, () => readState().catch(() => {}));
const resync = async () => {
  await readNodes();
  await readState();
};
const live = listen({ telemetry: onTelemetry, node: onNode, alert: restate, "alert-cleared": restate, link: reread }, resync);
$("filter").addEventListener("input", filter);
every(1_000, () => rows.forEach((row) => row.age()));
every(5_000, restate);
every(20_000, live.refresh);
