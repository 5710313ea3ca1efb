// What a rig or a miner did over time, one plot for each figure: minute by minute, by the hour or by the day.

import { get } from "./api.js";
import { el, fill, setText } from "./dom.js";
import { every } from "./live.js";
import { Plot } from "./plot.js";

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const RANGES = [["1 h", HOUR, "minute"], ["6 h", 6 * HOUR, "minute"], ["24 h", DAY, "hour"], ["7 d", 7 * DAY, "hour"], ["30 d", 30 * DAY, "day"]];
const FIELDS = [["hashrate", "H/s"], ["accepted", ""], ["refused", ""], ["job_wait_ms", "ms"], ["verdict_wait_ms", "ms"], ["faults", ""]];

export class RigPlots {
  constructor(path, place, buttons, step, fields = FIELDS, optional = []) {
    Object.assign(this, { path, step, optional, range: RANGES[0], turn: 0 });
    this.plots = fields.map(([field, unit]) => new Plot(field, unit, (at) => this.plots.forEach((plot) => plot.hover(at))));
    fill(place, this.plots.map((plot) => plot.element));
    this.buttons = RANGES.map((range) => el("button", { type: "button", onclick: () => this.choose(range) }, range[0]));
    fill(buttons, this.buttons);
    this.choose(this.range);
    every(10_000, () => this.range === RANGES[0] && this.load());
    every(MINUTE, () => this.load());
    document.addEventListener("visibilitychange", () => document.hidden || this.load());
  }

  choose(range) {
    this.range = range;
    this.buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(RANGES[i] === range)));
    setText(this.step, `a point for each ${range[2]}${range[2] === "day" ? " (UTC)" : ""}; the last one is not over`);
    this.load();
  }

  async load() {
    const turn = ++this.turn; // a later question has the newer answer
    const [, span, step] = this.range;
    const until = Date.now();
    const answer = await get(`${this.path}/history`, { step, since: until - span, until }).catch(() => null);
    if (!answer || turn !== this.turn) return;
    for (const plot of this.plots) {
      const points = answer.items.filter((item) => typeof item[plot.field] === "number")
        .map((item) => ({ ts: item.ts, low: item[plot.field], mean: item[plot.field], high: item[plot.field] }));
      plot.element.hidden = !points.length && this.optional.includes(plot.field);
      plot.show(points, answer.since, until);
    }
  }
}
