// A table of miners and ASICs: hundreds of rows, changed in place, sorted by a click, filtered by words.

import { $, el, fill, nothing, setText } from "./dom.js";
import { ago } from "./format.js";
import { MUCH_REJECTED, STATES, efficiency, first, machineLink, names, percent, rates, stateBadge } from "./mining_figures.js";
import { shown } from "./rig_figures.js";

const order = (machine) => `${STATES.indexOf(machine.state)} ${machine.alerts.length ? 0 : 1} ${machine.node} ${machine.name}`;
const model = ({ software, version, more }) => String(more.model ?? "") || [software, version].filter(Boolean).join(" ") || "–";
// [head, what it says, what it sorts by, whether that is bad]
const COLUMNS = [
  ["machine", null, (m) => `${m.node} ${m.name}`],
  ["state", null, order],
  ["software", model, model],
  ["algorithm", names, names],
  ["hash rate", rates, (m) => first(m, "hashrate")],
  ["power", (m) => shown(m.power, "W"), (m) => m.power],
  ["efficiency", (m) => efficiency(m.hashes_per_joule), (m) => m.hashes_per_joule],
  ["temp", (m) => shown(m.temp, "°C"), (m) => m.temp],
  ["accepted", (m) => shown(m.accepted), (m) => m.accepted],
  ["rejected", (m) => percent(m.reject_pct), (m) => m.reject_pct, (m) => m.reject_pct >= MUCH_REJECTED],
  ["uptime", (m) => shown(m.uptime_s, "s"), (m) => m.uptime_s],
  ["figures", (m) => ago(m.ts), (m) => m.ts],
];

class Row {
  constructor() {
    this.cells = COLUMNS.map(([head]) => el("td", { "data-head": head }));
    this.element = el("tr", {}, this.cells);
  }

  show(machine) {
    const key = [machine.name, machine.node, machine.state, machine.presence, machine.paused, machine.maintenance, machine.alerts.length].join("\n");
    if (key !== this.key) this.head(machine);
    this.key = key;
    this.machine = machine;
    COLUMNS.forEach(([, text, , isBad], i) => {
      if (text) setText(this.cells[i], text(machine));
      if (isBad) this.cells[i].classList.toggle("bad", isBad(machine));
    });
    this.text = [machine.node, machine.name, machine.kind, machine.state, machine.domain, names(machine), model(machine), first(machine, "pool"),
      first(machine, "user"), machine.more.address].join(" ").toLowerCase();
  }

  head(machine) {
    this.element.dataset.machine = `${machine.node}/${machine.device}`;
    this.element.classList.toggle("off", machine.state === "offline");
    fill(this.cells[0], machineLink(machine), machine.kind === "rig" ? null : el("small", {}, machine.node));
    const { length } = machine.alerts;
    fill(this.cells[1], stateBadge(machine), length ? el("small", { class: "bad" }, length === 1 ? "1 alert" : `${length} alerts`) : null,
      machine.maintenance ? el("small", {}, "maintenance") : null);
  }
}

export class MachineTable {
  constructor(place, filter, count) {
    Object.assign(this, { place, filter, count, rows: new Map(), column: 1, down: false });
    this.heads = COLUMNS.map(([head], i) => el("th", { scope: "col" }, el("button", { type: "button", class: "sort", onclick: () => this.sortBy(i) }, head)));
    this.body = el("tbody");
    this.table = el("div", { class: "scroll" }, el("table", { class: "slaves machines" }, el("thead", {}, el("tr", {}, this.heads)), this.body));
    filter.value = new URLSearchParams(location.search).get("filter") ?? "";
    filter.addEventListener("input", () => this.arrange());
  }

  show(machines) {
    const known = new Set();
    for (const machine of machines) {
      const key = `${machine.kind}/${machine.node}/${machine.device}`;
      known.add(key);
      const row = this.rows.get(key) ?? new Row();
      this.rows.set(key, row);
      row.show(machine);
    }
    for (const key of this.rows.keys()) if (!known.has(key)) this.rows.delete(key);
    this.arrange();
  }

  sortBy(column) {
    this.down = this.column === column && !this.down;
    this.column = column;
    this.arrange();
  }

  arrange() {
    const words = this.filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const seen = [...this.rows.values()].filter((row) => words.every((word) => row.text.includes(word)));
    const key = COLUMNS[this.column][2];
    const turn = this.down ? -1 : 1;
    seen.sort((a, b) => compare(key(a.machine), key(b.machine), turn) || compare(order(a.machine), order(b.machine)));
    this.heads.forEach((head, i) => head.setAttribute("aria-sort", i !== this.column ? "none" : this.down ? "descending" : "ascending"));
    // Rows that stand where they stood are left alone.
    const wanted = seen.map((row) => row.element);
    if (wanted.length !== this.body.children.length || wanted.some((each, i) => this.body.children[i] !== each)) this.body.replaceChildren(...wanted);
    setText(this.count, words.length ? `${seen.length} of ${this.rows.size}` : String(this.rows.size));
    const shown = this.rows.size ? (seen.length ? this.table : nothing("Nothing is like that.")) : nothing("No miner or ASIC has reported yet.");
    if (this.place.firstChild !== shown) fill(this.place, shown);
  }
}

/** Numbers by size, words by their numbers (`s9-2` before `s9-10`); what is not known comes last, whatever the turn. */
function compare(a, b, turn = 1) {
  const [noA, noB] = [a === null || a === undefined, b === null || b === undefined];
  if (noA || noB) return noA - noB;
  return turn * (typeof a === "number" ? a - b : collator.compare(a, b));
}

const collator = new Intl.Collator("en", { numeric: true });

/** The table of a page that has the usual places for it. */
export const machineTable = () => new MachineTable($("machines"), $("filter"), $("count"));
