// What one miner or ASIC says: tiles, pools, cards, what only its kind tells, and its past.

import { el, fill, nothing } from "./dom.js";
import { label, number } from "./format.js";
import { cardTable } from "./card_table.js";
import { efficiency, names, rates } from "./mining_figures.js";
import { RigPlots } from "./rig_plots.js";
import { showTiles, shown } from "./rig_figures.js";

const PAST = [["hashrate", "H/s"], ["power", "W"], ["temp", "°C"], ["accepted", ""], ["rejected", ""], ["kwh", "kWh"]];

export class MachinePanel {
  constructor(node, device, what) {
    this.what = what;
    [this.tiles, this.facts, this.cards, this.plots] = ["tiles", "facts", "", "plot-grid"].map((kind) => el("div", { class: kind }));
    const [step, ranges] = [el("span", { class: "muted" }), el("div", { class: "ranges", role: "group", "aria-label": "Time range" })];
    this.past = el("div", { class: "plot-part" }, el("h3", {}, "Over time ", step, ranges), this.plots);
    const path = `/mining/miners/${encodeURIComponent(node)}/${encodeURIComponent(device)}`;
    this.rigPlots = new RigPlots(path, this.plots, ranges, step, PAST);
    this.parts = [this.tiles, this.facts, this.cards, this.past];
  }

  show(machine) {
    const share = machine.expected && machine.algorithms[0]?.hashrate != null ? (100 * machine.algorithms[0].hashrate) / machine.expected : null;
    showTiles(this.tiles, [
      ["hash rate", rates(machine)], share === null ? null : ["of what is expected", share, "%", share < 90], ["power", machine.power, "W"],
      ["efficiency", efficiency(machine.hashes_per_joule)], ["temperature", machine.temp, "°C"], ["accepted", machine.accepted],
      ["rejected", machine.rejected, "", machine.reject_pct >= 3], ["stale", machine.stale], ["uptime", machine.uptime_s, "s"],
    ].filter(Boolean));
    const pools = machine.algorithms.flatMap((each) => [[`pool${machine.algorithms.length > 1 ? ` of ${each.algorithm}` : ""}`, each.pool], ["user", each.user],
      ["difficulty", each.difficulty === null ? "" : number(each.difficulty)]]);
    const facts = [["software", [machine.software, machine.version].filter(Boolean).join(" ")], ["algorithm", names(machine)], ...pools,
      ["rejected", machine.reject_pct === null ? "" : `${number(machine.reject_pct)} % of shares`], ["expected", machine.expected === null ? "" : shown(machine.expected, "H/s")],
      ["power limit", machine.power_limit === null ? "" : shown(machine.power_limit, "W")],
      ...Object.entries(machine.more).map(([name, value]) => [label(name), shown(value, name.endsWith("_rpm") ? "rpm" : "")])];
    fill(this.facts, el("dl", {}, facts.filter(([, value]) => value !== "" && value !== "–").map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])));
    fill(this.cards, machine.card_list.length ? cardTable(machine.card_list, this.what) : nothing(`It tells nothing of its ${this.what}s.`));
  }
}
