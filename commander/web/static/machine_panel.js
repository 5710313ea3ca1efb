// What one miner or ASIC says: tiles, pools, cards, what only its kind tells, and its past.

import { el, fill, nothing } from "./dom.js";
import { label, number } from "./format.js";
import { cardTable } from "./card_table.js";
import { MUCH_REJECTED, efficiency, percent } from "./mining_figures.js";
import { RigPlots } from "./rig_plots.js";
import { showTiles, shown } from "./rig_figures.js";

const PAST = [["hashrate", "H/s"], ["power", "W"], ["temp", "°C"], ["accepted", ""], ["rejected", ""], ["kwh", "kWh"]];

const OPTIONAL = ["power", "temp", "kwh"];
const known = (name, value, unit) => (value === null ? null : [name, value, unit]);

export class MachinePanel {
  constructor(node, device, what) {
    this.what = what;
    [this.tiles, this.facts, this.cards, this.plots] = ["tiles", "facts", "", "plot-grid"].map((kind) => el("div", { class: kind }));
    const [step, ranges] = [el("span", { class: "muted" }), el("div", { class: "ranges", role: "group", "aria-label": "Time range" })];
    this.past = el("div", { class: "plot-part" }, el("h3", {}, "Over time ", step, ranges), this.plots);
    const path = `/mining/miners/${encodeURIComponent(node)}/${encodeURIComponent(device)}`;
    this.rigPlots = new RigPlots(path, this.plots, ranges, step, PAST, OPTIONAL);
    this.parts = [this.tiles, this.facts, this.cards, this.past];
  }

  show(machine) {
    const share = machine.expected && machine.algorithms[0]?.hashrate != null ? (100 * machine.algorithms[0].hashrate) / machine.expected : null;
    const several = machine.algorithms.length > 1;
    const of = (each) => (several ? ` of ${each.algorithm}` : "");
    showTiles(this.tiles, [
      ...machine.algorithms.map((each) => [`hash rate${of(each)}`, each.hashrate, "H/s"]),
      share === null ? null : ["of expected", percent(share), "", share < 90], known("power", machine.power, "W"),
      machine.hashes_per_joule ? ["efficiency", efficiency(machine.hashes_per_joule)] : null, known("temperature", machine.temp, "°C"),
      ["accepted", machine.accepted], ["rejected", percent(machine.reject_pct), "", machine.reject_pct >= MUCH_REJECTED], ["stale", machine.stale],
      known("uptime", machine.uptime_s, "s"),
    ].filter(Boolean));
    const facts = [["software", [machine.software, machine.version].filter(Boolean).join(" ")],
      ...machine.algorithms.flatMap((each) => [["algorithm", each.algorithm], ["pool", each.pool], ["user", each.user],
        ["difficulty", each.difficulty === null ? "" : number(each.difficulty)]]),
      ["expected", machine.expected === null ? "" : shown(machine.expected, "H/s")], ["power limit", machine.power_limit === null ? "" : shown(machine.power_limit, "W")],
      ...Object.entries(machine.more).map(([name, value]) => [label(name), shown(value, name.endsWith("_rpm") ? "rpm" : "")])];
    fill(this.facts, el("dl", {}, facts.filter(([, value]) => value !== "" && value !== "–").map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))));
    fill(this.cards, machine.card_list.length ? cardTable(machine.card_list, this.what) : nothing(`It tells nothing of its ${this.what}s.`));
  }
}
