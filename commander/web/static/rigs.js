// All rigs with their totals, kept live.

import { all } from "./api.js";
import { $, badge, el, fill, nothing, table } from "./dom.js";
import { ago } from "./format.js";
import { every, listen, soon } from "./live.js";
import { fault, showTiles, shown } from "./rig_figures.js";

const HEADS = ["rig", "slaves", "hash rate", "busy", "accepted", "refused", "lost", "faults", "wait for a job", "for a verdict", "alerts", "figures"];

function rowOf({ node, presence, ts, totals, alerts, gateways }) {
  const here = `${totals.here} of ${totals.known}`;
  return [
    el("div", {}, el("a", { class: "id", href: `/rigs/${encodeURIComponent(node)}` }, node), badge(presence),
      el("small", {}, gateways.length ? `jobs by ${gateways.join(", ")}` : "no pool gateway")),
    totals.here < totals.known ? el("span", { class: "bad" }, here) : here,
    shown(totals.hashrate, "H/s"), shown(totals.busy_pct, "%"), shown(totals.accepted), fault(totals.refused), fault(totals.lost),
    shown(totals.faults), shown(totals.job_wait_ms, "ms"), shown(totals.verdict_wait_ms, "ms"), fault(alerts.length), ago(ts),
  ];
}

async function read() {
  const rigs = await all("/mining/rigs");
  const sum = (name) => rigs.reduce((total, rig) => total + (rig.totals[name] ?? 0), 0);
  const [here, known, refused, lost] = ["here", "known", "refused", "lost"].map(sum);
  showTiles($("tiles"), [["rigs", rigs.length], ["hash rate", sum("hashrate"), "H/s"],
    ["slaves here", here === known ? here : `${here} of ${known}`, "", here < known], ["accepted", sum("accepted")],
    ["refused", refused, "", refused > 0], ["lost", lost, "", lost > 0], ["faults", sum("faults")]]);
  fill($("rigs"), rigs.length ? table(HEADS, rigs.map(rowOf), "slaves") : nothing("No node has reported a slave yet."));
}

const again = soon(1_000, () => live.refresh());
const ofRig = ({ part }) => part === "slave" && again();
const live = listen({ telemetry: ofRig, node: again, device: again, alert: again, "alert-cleared": again }, read);
every(10_000, () => live.refresh());
