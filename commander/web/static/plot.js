// A plot of one field over time on a canvas: mean line, band from lowest to highest, marks on both axes, a read-out under the pointer.

import { el, setText } from "./dom.js";
import { clock, day, figure, label, number, scaleFor } from "./format.js";
import { decimalsOf, timeTicks, valueTicks } from "./ticks.js";

const HEIGHT = 132, TOP = 8, BOTTOM = 20, RIGHT = 10, PIXELS_PER_POINT = 1.5;
const GAP = 4; // a hole of this many usual distances is a hole in the line

const plots = new Set();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach((plot) => plot.draw()));

function colours(element) {
  const style = getComputedStyle(element);
  const of = (name) => style.getPropertyValue(name).trim();
  return { line: of("--plot"), band: of("--plot-band"), grid: of("--grid"), text: of("--muted"), cross: of("--faint") };
}

/** Points (by time) put together to at most one per column. Point: {ts, low, mean, high}. */
export function thinned(points, begin, end, columns) {
  if (points.length <= columns) return points;
  const found = [];
  let column = -1;
  for (const point of points) {
    const at = Math.floor(((point.ts - begin) / (end - begin)) * columns);
    const last = found.at(-1);
    if (at === column) {
      last.low = Math.min(last.low, point.low);
      last.high = Math.max(last.high, point.high);
      last.mean += (point.mean - last.mean) / ++last.count;
    } else found.push({ ...point, count: 1 });
    column = at;
  }
  return found;
}

export class Plot {
  constructor(field, unit, onHover) {
    Object.assign(this, { field, unit, onHover, points: null, begin: 0, end: 1, at: null });
    this.canvas = el("canvas", { role: "img" });
    this.now = el("span", { class: "now" });
    this.range = el("span", { class: "range" });
    this.element = el("figure", { class: "plot", "data-field": field },
      el("figcaption", {}, el("span", { class: "name" }, label(field, unit)), this.range, this.now), this.canvas);
    this.canvas.addEventListener("pointermove", (event) => this.onHover(this.timeAt(event.offsetX)));
    this.canvas.addEventListener("pointerleave", () => this.onHover(null));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    plots.add(this);
  }

  /** points: [{ts, low, mean, high}] by time; begin, end: ms. */
  show(points, begin, end) {
    Object.assign(this, { points, begin, end });
    this.draw();
  }

  hover(at) {
    this.at = at;
    this.draw();
  }

  timeAt(x) {
    return this.begin + ((x - this.left) / (this.width - this.left - RIGHT)) * (this.end - this.begin);
  }

  draw() {
    const width = this.canvas.clientWidth;
    if (!width || !this.canvas.isConnected) return;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = width * ratio;
    this.canvas.height = HEIGHT * ratio;
    this.width = width;
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.font = `11px ${getComputedStyle(this.canvas).fontFamily}`;
    const colour = colours(this.canvas);
    if (!this.points) return;
    const inside = this.points.filter((point) => point.ts >= this.begin && point.ts <= this.end);
    this.caption(inside);
    if (!inside.length) {
      context.fillStyle = colour.text;
      context.textAlign = "center";
      context.fillText("nothing in this range yet", width / 2, HEIGHT / 2);
      return;
    }
    this.axes(context, colour, inside);
    this.line(context, colour, thinned(inside, this.begin, this.end, Math.ceil((width - this.left) / PIXELS_PER_POINT)));
    if (this.near) this.cross(context, colour);
  }

  caption(inside) {
    this.near = this.at === null ? null : nearest(inside, this.at);
    const shown = this.near ?? this.points.at(-1);
    const { text, unit } = figure(shown?.mean, this.unit);
    setText(this.now, `${text}${unit ? `\u00a0${unit}` : ""}`);
    setText(this.range, this.near ? timeOf(this.near.ts) : "");
    this.canvas.setAttribute("aria-label", `${this.field}: ${text} ${unit}, ${inside.length} points`);
  }

  axes(context, colour, inside) {
    const [low, high] = [Math.min(...inside.map((p) => p.low)), Math.max(...inside.map((p) => p.high))];
    const scale = scaleFor(Math.max(Math.abs(low), Math.abs(high)), this.unit);
    const ticks = valueTicks(low / scale.factor, high / scale.factor, 4);
    const decimals = decimalsOf(ticks.step);
    const texts = ticks.values.map((value) => value.toFixed(decimals).replace("-", "−"));
    const last = texts.length - 1;
    if (scale.unit) texts[last] += ` ${scale.unit}`;
    this.left = Math.ceil(Math.max(...texts.map((text) => context.measureText(text).width))) + 10;
    this.y = (value) => TOP + (1 - (value / scale.factor - ticks.low) / (ticks.high - ticks.low)) * (HEIGHT - TOP - BOTTOM);
    this.x = (ts) => this.left + ((ts - this.begin) / (this.end - this.begin)) * (this.width - this.left - RIGHT);
    context.strokeStyle = colour.grid;
    context.fillStyle = colour.text;
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    ticks.values.forEach((value, i) => {
      const y = Math.round(this.y(value * scale.factor)) + 0.5;
      stroke(context, this.left, y, this.width - RIGHT, y);
      context.fillText(texts[i], this.left - 6, y);
    });
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    for (const { at, text } of timeTicks(this.begin, this.end, Math.max(2, (this.width - this.left) / 64))) {
      const x = Math.round(this.x(at)) + 0.5;
      stroke(context, x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 4);
      const half = context.measureText(text).width / 2;
      if (x - half > this.left - 8 && x + half < this.width) context.fillText(text, x, HEIGHT - 4);
    }
  }

  line(context, colour, points) {
    const runs = split(points);
    context.fillStyle = colour.band;
    for (const run of runs) {
      context.beginPath();
      run.forEach((p) => context.lineTo(this.x(p.ts), this.y(p.high)));
      [...run].reverse().forEach((p) => context.lineTo(this.x(p.ts), this.y(p.low)));
      context.fill();
    }
    context.strokeStyle = context.fillStyle = colour.line;
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    for (const run of runs) {
      context.beginPath();
      run.forEach((p) => context.lineTo(this.x(p.ts), this.y(p.mean)));
      context.stroke();
      if (run.length === 1) dot(context, this.x(run[0].ts), this.y(run[0].mean), 1.5);
    }
  }

  cross(context, colour) {
    const x = this.x(this.near.ts);
    context.strokeStyle = colour.cross;
    context.lineWidth = 1;
    stroke(context, Math.round(x) + 0.5, TOP, Math.round(x) + 0.5, HEIGHT - BOTTOM);
    context.fillStyle = colour.line;
    dot(context, x, this.y(this.near.mean), 3);
    if (this.near.high > this.near.low) setText(this.range, `${timeOf(this.near.ts)} · ${number(this.near.low)} to ${number(this.near.high)}`);
  }
}

function timeOf(ts) {
  return day(ts) === day(Date.now()) ? clock(ts) : `${day(ts)} ${clock(ts, false)}`;
}

function nearest(points, at) {
  return points.reduce((best, point) => (best && Math.abs(best.ts - at) <= Math.abs(point.ts - at) ? best : point), null);
}

function split(points) {
  const distances = points.slice(1).map((point, i) => point.ts - points[i].ts).sort((a, b) => a - b);
  const most = (distances[Math.floor(distances.length * 0.75)] ?? Infinity) * GAP;
  const runs = [];
  points.forEach((point, i) => (i && point.ts - points[i - 1].ts <= most ? runs.at(-1).push(point) : runs.push([point])));
  return runs;
}

function stroke(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function dot(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}
