// All alerts that stand, worst first.

import { all, remove } from "./api.js";
import { $, badge, el, fill, isOperator, nodeLink, nothing, setText, table } from "./dom.js";
import { ago, stamp } from "./format.js";
import { every, listen, soon } from "./live.js";

const ORDER = ["critical", "error", "warning", "info"];

async function read() {
  const alerts = await all("/alerts");
  alerts.sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity) || b.since - a.since);
  const rows = alerts.map((alert) => [badge(alert.severity), nodeLink(alert.node), alert.device, alert.text,
    el("time", { title: stamp(alert.since) }, ago(alert.since)), clearButton(alert)]);
  fill($("alerts"), rows.length ? table(["severity", "node", "device", "what", "since", ""], rows, "records") : nothing("No alerts. All is well."));
}

function clearButton(alert) {
  if (!isOperator) return "";
  return el("button", { type: "button", class: "quiet", onclick: () => clear(alert) }, "Clear");
}

async function clear({ node, device, name }) {
  try {
    await remove(`/alerts/${[node, device, name].map(encodeURIComponent).join("/")}`);
    await read();
  } catch (error) {
    setText($("problem"), error.message);
  }
}

const again = soon(300, () => live.refresh());
const live = listen({ alert: again, "alert-cleared": again }, read);
every(15_000, live.refresh);
