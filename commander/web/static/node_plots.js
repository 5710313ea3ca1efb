// All plots of a node: one per numeric field, in sections by device and part; one range and one pointer for all of them.

import { get } from "./api.js";
import { el, fill, nothing } from "./dom.js";
import { byDevice } from "./figures.js";
import { every, soon } from "./live.js";
import { Plot } from "./plot.js";

const MINUTE = 60_000, HOUR = 60 * MINUTE;
const RANGES = [["15 min", 15 * MINUTE], ["1 h", HOUR], ["24 h", 24 * HOUR], ["7 d", 168 * HOUR]];
const LONGEST_LIVE = HOUR;
const MOST_POINTS = 10_000;
const MOST_LATE = 100;

class Section {
  constructor(device, part) {
    Object.assign(this, { device, part, plots: new Map(), points: new Map(), late: [], turn: 0, visible: false, stale: true });
    this.grid = el("div", { class: "plot-grid" });
    this.element = el("section", { class: "plot-part", "data-part": part },
      el("h3", {}, part, device === "self" ? null : el("span", { class: "tag" }, device)), this.grid);
  }

  take(items) {
    this.points.clear();
    for (const { ts, values } of items) this.measured(ts, values);
    for (const { ts, values } of this.late.splice(0)) this.measured(ts, values);
  }

  /** What comes live while the past is being fetched may be missing from it. */
  keep(ts, values) {
    this.late.push({ ts, values });
    if (this.late.length > MOST_LATE) this.late.shift();
  }

  measured(ts, values) {
    for (const [field, value] of Object.entries(values)) this.add(field, ts, value);
  }

  add(field, ts, value) {
    const known = this.points.get(field) ?? [];
    this.points.set(field, known);
    if (known.length && ts <= known.at(-1).ts) return;
    if (value !== null && typeof value === "object") known.push({ ts, low: value.min, mean: value.mean, high: value.max });
    else if (typeof value === "number") known.push({ ts, low: value, mean: value, high: value });
  }

  draw(begin, end) {
    for (const [field, plot] of this.plots) plot.show(this.points.get(field) ?? [], begin, end);
  }
}

export class NodePlots {
  constructor(path, place, buttons) {
    Object.assign(this, { path, place, span: RANGES[0][1], sections: new Map() });
    this.seen = new IntersectionObserver((entries) => this.scrolled(entries), { rootMargin: "200px" });
    this.buttons = RANGES.map(([text, span]) => el("button", { type: "button", onclick: () => this.choose(span) }, text));
    fill(buttons, this.buttons);
    this.mark();
    this.redraw = soon(1_000, () => this.draw());
    every(5_000, () => this.isLive() && this.draw());
    every(MINUTE, () => this.isLive() || this.stale());
    document.addEventListener("visibilitychange", () => document.hidden || this.stale());
  }

  isLive() {
    return this.span <= LONGEST_LIVE;
  }

  mark() {
    this.buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(RANGES[i][1] === this.span)));
  }

  choose(span) {
    this.span = span;
    this.mark();
    this.stale();
  }

  /** Make a plot of each numeric field that has none yet. */
  fields(latest, units) {
    for (const [device, parts] of byDevice(latest)) {
      for (const [part, values] of Object.entries(parts).sort()) {
        for (const [field, value] of Object.entries(values)) {
          if (field !== "ts" && typeof value === "number") this.plot(device, part, field, units[part]?.[field] ?? "");
        }
      }
    }
    if (!this.sections.size) fill(this.place, nothing("Plots appear with the first telemetry."));
  }

  plot(device, part, field, unit) {
    const key = `${device}/${part}`;
    let section = this.sections.get(key);
    if (!section) {
      if (!this.sections.size) fill(this.place);
      section = new Section(device, part);
      this.sections.set(key, section);
      this.place.append(section.element);
      this.seen.observe(section.element);
    }
    if (section.plots.has(field)) return;
    const plot = new Plot(field, unit, (at) => this.sections.forEach((each) => each.visible && each.plots.forEach((p) => p.hover(at))));
    section.plots.set(field, plot);
    section.grid.append(plot.element);
  }

  measured(device, part, ts, data) {
    const section = this.sections.get(`${device}/${part}`);
    if (!section || !this.isLive()) return;
    if (section.stale) return section.keep(ts, data);
    section.measured(ts, data);
    this.redraw();
  }

  scrolled(entries) {
    for (const entry of entries) {
      const section = [...this.sections.values()].find((each) => each.element === entry.target);
      section.visible = entry.isIntersecting;
      if (section.visible) section.stale ? this.load(section) : this.drawOne(section);
    }
  }

  stale() {
    for (const section of this.sections.values()) {
      section.stale = true;
      if (section.visible) this.load(section);
    }
  }

  async load(section) {
    const { span } = this;
    const turn = ++section.turn; // a later question has the newer answer
    const until = Date.now();
    const wish = { device: section.device, part: section.part, since: until - span, until, limit: MOST_POINTS };
    const answer = await get(`${this.path}/telemetry`, wish).catch(() => null);
    if (!answer || span !== this.span || turn !== section.turn) return;
    section.take(answer.items);
    section.stale = false;
    this.drawOne(section);
  }

  drawOne(section) {
    const end = Date.now();
    section.draw(end - this.span, end);
  }

  draw() {
    for (const section of this.sections.values()) if (section.visible && !section.stale) this.drawOne(section);
  }
}
