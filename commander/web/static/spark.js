// A sparkline: the last values of one field as a small SVG.

import { svg } from "./dom.js";

const WIDTH = 96, HEIGHT = 26, MOST = 120;

export class Spark {
  constructor() {
    this.points = [];
    this.line = svg("path", { class: "spark-line" });
    this.area = svg("path", { class: "spark-area" });
    this.element = svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      this.area, this.line);
  }

  /** Older values go before what came live in the meantime. points: [ts, value] by time. */
  prepend(points) {
    const first = this.points[0]?.[0] ?? Infinity;
    this.points = [...points.filter(([ts]) => ts < first), ...this.points].slice(-MOST);
    this.draw();
  }

  add(ts, value) {
    const last = this.points.at(-1);
    if (last && ts <= last[0]) return;
    this.points.push([ts, value]);
    if (this.points.length > MOST) this.points.shift();
  }

  draw() {
    if (this.points.length < 2) return;
    const [begin, end] = [this.points[0][0], this.points.at(-1)[0]];
    const values = this.points.map(([, value]) => value);
    let [low, high] = [Math.min(...values), Math.max(...values)];
    // A figure that hardly moves shall look calm.
    const least = Math.max(Math.abs(high) * 0.02, 1e-9);
    if (high - low < least) [low, high] = [(low + high - least) / 2, (low + high + least) / 2];
    const steps = this.points.map(([ts, value]) => {
      const x = ((ts - begin) / (end - begin || 1)) * WIDTH;
      const y = HEIGHT - 2 - ((value - low) / (high - low)) * (HEIGHT - 4);
      return `${x.toFixed(1)} ${y.toFixed(1)}`;
    });
    const path = `M${steps.join("L")}`;
    this.line.setAttribute("d", path);
    this.area.setAttribute("d", `${path}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`);
  }
}
