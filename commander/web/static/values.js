// The table of a node's current values, by device and part.

import { el, fill, nothing, setText } from "./dom.js";
import { byDevice } from "./figures.js";
import { ago, figure, label } from "./format.js";

export class NodeValues {
  constructor(place) {
    this.place = place;
    this.cells = new Map();
    this.ages = new Map();
    this.shape = "";
  }

  /** latest: device -> part -> {ts, fields}; units: part -> field -> unit. */
  show(latest, units) {
    const shape = JSON.stringify([Object.entries(latest).map(([d, parts]) => [d, Object.entries(parts).map(([p, v]) => [p, Object.keys(v)])]), units]);
    if (shape !== this.shape) this.build(latest, units);
    this.shape = shape;
    for (const [device, parts] of Object.entries(latest)) {
      for (const [part, { ts, ...data }] of Object.entries(parts)) this.measured(device, part, ts, data);
    }
    this.age();
  }

  build(latest, units) {
    this.cells.clear();
    this.ages.clear();
    const tables = byDevice(latest).map(([device, parts]) => el("table", { class: "values", "data-device": device },
      el("caption", {}, device === "self" ? "the node itself" : device),
      Object.entries(parts).sort().map(([part, values]) => el("tbody", {}, this.rows(device, part, values, units[part] ?? {})))));
    fill(this.place, tables.length ? tables : nothing("No telemetry yet."));
  }

  rows(device, part, values, units) {
    const age = el("span", { class: "age" });
    this.ages.set(`${device}/${part}`, { age, ts: 0 });
    const fields = Object.keys(values).filter((field) => field !== "ts");
    return [el("tr", { class: "part" }, el("th", { colspan: "2", scope: "rowgroup" }, part, age)),
      ...fields.map((field) => {
        const number = el("b"), unit = el("span", { class: "unit" });
        this.cells.set(`${device}/${part}/${field}`, { number, unitText: unit, unit: units[field] ?? "" });
        return el("tr", { "data-field": field }, el("th", { scope: "row" }, label(field, units[field])), el("td", {}, number, unit));
      })];
  }

  /** False when there is something the table has no place for. */
  measured(device, part, ts, data) {
    const age = this.ages.get(`${device}/${part}`);
    if (age) age.ts = ts;
    let known = Boolean(age);
    for (const [field, value] of Object.entries(data)) {
      const cell = this.cells.get(`${device}/${part}/${field}`);
      known &&= Boolean(cell);
      if (!cell) continue;
      const { text, unit } = figure(value, cell.unit);
      setText(cell.number, text);
      setText(cell.unitText, unit);
    }
    return known;
  }

  age() {
    for (const { age, ts } of this.ages.values()) setText(age, ts ? ago(ts) : "clock not set");
  }
}
