// The page of one ASIC.

import { get } from "./api.js";
import { AsicOrders } from "./asic_orders.js";
import { $, badge, el, fill, setText } from "./dom.js";
import { ago, duration } from "./format.js";
import { every, listen, soon } from "./live.js";
import { MachinePanel } from "./machine_panel.js";
import { stateBadge } from "./mining_figures.js";
import { showAlerts, showEvents, showLogs } from "./records.js";

const { node, device } = document.body.dataset;
const path = `/mining/asics/${encodeURIComponent(node)}/${encodeURIComponent(device)}`;
const orders = new AsicOrders(node, device.replace(/^asic-/, ""), () => live.refresh());
const panel = new MachinePanel(node, device, "board");
let ts = 0;

fill($("asic"), panel.parts);

async function read() {
  const [asic, events, logs] = await Promise.all([get(path), get("/events", { node, limit: 200 }), get("/logs", { node, limit: 500 })]);
  ts = asic.ts;
  fill($("state"), stateBadge(asic));
  setText($("problem"), asic.state === "offline" ? `It is not heard of: figures are ${duration(Date.now() - ts)} old.` : "");
  fill($("model"), el("b", {}, String(asic.more.model ?? asic.software)), el("span", { class: "muted" }, ` ${asic.version}`),
    asic.presence === "ready" ? null : badge(asic.presence));
  showAlerts($("alerts"), asic.alerts);
  panel.show(asic);
  orders.show(asic.record);
  showEvents($("events"), events.items.filter((event) => event.device === device).slice(0, 15), false);
  const own = [`${device}:`, `${asic.name}:`];
  showLogs($("logs"), logs.items.filter(({ text }) => own.some((name) => text.startsWith(name))).slice(0, 50));
}

const again = soon(1_000, () => live.refresh());
const mine = (handle) => (data) => (data.node ?? data.id) === node && (data.device ?? device) === device && handle(data);
const ofNode = (data) => (data.node ?? data.id) === node && again();
const live = listen({ telemetry: mine(again), node: ofNode, alert: ofNode, "alert-cleared": again, event: mine(again) }, read, node);
every(1_000, () => setText($("heard"), ts ? `figures ${ago(ts)}` : ""));
every(10_000, () => live.refresh());
