// The page of one node: puts values, plots, commands, happenings and documents together and keeps them live.

import { get, remove } from "./api.js";
import { Commands } from "./commands.js";
import { showDocuments } from "./documents.js";
import { $, badge, el, fill, isOperator, setText } from "./dom.js";
import { ago, duration, stamp } from "./format.js";
import { every, listen, soon } from "./live.js";
import { NodePlots } from "./node_plots.js";
import { showAlerts, showEvents, showLogs } from "./records.js";
import { NodeValues } from "./values.js";

const id = document.body.dataset.node;
const path = `/nodes/${encodeURIComponent(id)}`;
const HISTORY = 10;
let heard = 0;

const plots = new NodePlots(path, $("plots"), $("ranges"));
const values = new NodeValues($("values"));
const commands = new Commands(path, id);

function showIdentity(node) {
  heard = node.heard;
  fill($("presence"), badge(node.presence));
  setText($("heard"), `heard ${ago(heard)}`);
  const { info } = node;
  const lines = [
    ["kind", node.kind], ["domain", node.domain], ["hardware", info.hardware || "–"], ["software", info.software || "–"],
    ["says", node.state ? `${node.state}, since ${stamp(node.state_at)}` : "nothing yet"],
    ["enrolled", stamp(node.created)], ["boot", node.boot || "–"],
    ["silent at most", node.alive_ms ? duration(node.alive_ms) : "–"], ["clock", info.clock ?? "–"],
    ["signatures", node.sign],
  ];
  if (info.sensors?.length) lines.push(["sensors", info.sensors.join(", ")]);
  if (info.steps?.length) lines.push(["steps", info.steps.join(", ")]);
  for (const [name, stream] of Object.entries(info.streams ?? {})) lines.push([`frames ${name}`, framing(stream ?? {})]);
  for (const stream of node.streams) lines.push([`stream ${stream.name}`, `stored up to ${stream.mark}`]);
  fill($("identity"), lines.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function framing({ frame_ms: ms, values }) {
  return [ms ? `every ${ms % 1_000 ? `${ms} ms` : duration(ms)}` : null, values ? `${values} values` : null].filter(Boolean).join(" or ") || "–";
}

const clearButton = (alert) => isOperator && el("button", { type: "button", class: "quiet", onclick: () => clear(alert) }, "Clear");

async function removeNode() {
  if (!confirm(`Remove ${id} from the farm? Its credential stops working at once, so it must be enrolled anew to come back. Its history stays.`)) return;
  try {
    await remove(path);
    location.assign("/");
  } catch (error) {
    setText($("remove-problem"), error.message);
  }
}

async function clear({ device, name }) {
  await remove(`/alerts/${[id, device, name].map(encodeURIComponent).join("/")}`);
  await live.refresh();
}

async function readLogs() {
  const { items } = await get("/logs", { node: id, limit: 50 });
  showLogs($("logs"), items);
}

async function readNode() {
  const node = await get(path);
  showIdentity(node);
  showAlerts($("alerts"), node.alerts, clearButton);
  values.show(node.latest, node.parts);
  plots.fields(node.latest, node.parts);
  showDocuments($("documents"), node.desired, node.reported);
}

async function readEvents() {
  const { items } = await get("/events", { node: id, limit: HISTORY });
  showEvents($("events"), items, false);
}

function readAll(missed) {
  if (missed) plots.stale();
  return Promise.all([readNode(), readEvents(), readLogs(), commands.read()]);
}

const again = soon(1_000, () => live.refresh());
const eventsAgain = soon(500, () => readEvents().catch(() => {}));
const mine = (handle) => (data) => (data.node ?? data.id) === id && handle(data);

const live = listen({
  telemetry: mine(({ device, part, ts, data }) => {
    heard = Date.now();
    if (!values.measured(device, part, ts, data)) again();
    plots.measured(device, part, ts, data);
  }),
  node: mine(({ presence }) => {
    fill($("presence"), badge(presence));
    again();
  }),
  event: mine(eventsAgain),
  command: mine((row) => commands.changed(row)),
  alert: mine(again),
  "alert-cleared": again,
  reported: mine(again),
}, readAll, id);

$("remove")?.addEventListener("click", removeNode);
every(1_000, () => {
  setText($("heard"), `heard ${ago(heard)}`);
  values.age();
});
every(10_000, () => readLogs().catch(() => {}));
every(20_000, () => live.refresh());
