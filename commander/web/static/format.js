// Figures, units and times as people read them. Times are ms since 1970; 0 means that the sender's clock was not set.

const PREFIXES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
const PREFIXED = new Set(["B", "B/s", "H/s", "W", "Wh", "Hz", "V", "A", "Pa", "ohm"]);
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const SPELLED = { us: "µs", "m/s2": "m/s²", "deg/s": "°/s", deg: "°", ohm: "Ω" };

/** The factor and unit in which values up to `most` are best shown. */
export function scaleFor(most, unit) {
  const size = Math.abs(most);
  if (PREFIXED.has(unit)) {
    const found = PREFIXES.find(([factor]) => size >= factor);
    if (found) return { factor: found[0], unit: found[1] + (SPELLED[unit] ?? unit) };
  }
  const span = unit === "s" && [[2 * DAY, DAY, "d"], [2 * HOUR, HOUR, "h"], [2 * MINUTE, MINUTE, "min"]].find(([least]) => size * SECOND >= least);
  if (span) return { factor: span[1] / SECOND, unit: span[2] };
  if (unit === "ms" && size >= 10_000) return { factor: 1000, unit: "s" };
  if (unit === "" && size >= 1e6) {
    const [factor, prefix] = PREFIXES.find(([each]) => size >= each);
    return { factor, unit: prefix };
  }
  return { factor: 1, unit: SPELLED[unit] ?? unit };
}

/** About four digits, a fixed number of decimals for each size, so that a changing figure keeps its width. */
export function number(value) {
  const size = Math.abs(value);
  const decimals = Number.isInteger(value) || size >= 10_000 ? 0 : size >= 10 ? 1 : size >= 1 || size === 0 ? 2 : 3;
  const text = size !== 0 && size < 0.001 ? value.toPrecision(2) : value.toFixed(decimals);
  const [whole, fraction] = text.replace("-", "−").split(".");
  const grouped = size >= 10_000 ? whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") : whole;
  return fraction ? `${grouped}.${fraction}` : grouped;
}

/** {text, unit} of any telemetry value. */
export function figure(value, unit = "") {
  if (value === null || value === undefined) return { text: "–", unit: "" };
  if (typeof value === "boolean") return { text: value ? "yes" : "no", unit: "" };
  if (typeof value !== "number") return { text: String(value), unit: "" };
  if (unit === "s" && Math.abs(value) >= 120) return { text: duration(value * 1000), unit: "" };
  if (unit === "ms" && value > 1e12) return { text: stamp(value), unit: "" };
  const scale = scaleFor(value, unit);
  return { text: number(scale.factor === 1 ? value : value / scale.factor), unit: scale.unit };
}

export function duration(ms) {
  const parts = [[DAY, "d"], [HOUR, "h"], [MINUTE, "min"], [SECOND, "s"]];
  const first = parts.findIndex(([size]) => ms >= size);
  if (first < 0) return "0 s";
  const [size, name] = parts[first];
  const rest = parts[first + 1] && size > MINUTE ? Math.floor((ms % size) / parts[first + 1][0]) : 0;
  return `${Math.floor(ms / size)}\u00a0${name}` + (rest ? ` ${rest}\u00a0${parts[first + 1][1]}` : "");
}

export function ago(ms, now = Date.now()) {
  if (!ms) return "never";
  const past = now - ms;
  if (past < -5 * SECOND) return `in ${duration(-past)}`;
  return past < 3 * SECOND ? "now" : `${duration(past)} ago`;
}

const two = (value) => String(value).padStart(2, "0");

export function clock(ms, seconds = true) {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}` + (seconds ? `:${two(at.getSeconds())}` : "");
}

export function day(ms) {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Time of day for today, with the date before it for any other day. */
export function stamp(ms) {
  if (!ms) return "clock not set";
  return day(ms) === day(Date.now()) ? clock(ms) : `${day(ms)} ${clock(ms)}`;
}

/** A field's name as a label: `mem_used` -> `mem used`; a trailing unit says nothing that the unit does not. */
export function label(field, unit = "") {
  const suffix = `_${unit.toLowerCase()}`;
  const bare = unit && field.endsWith(suffix) ? field.slice(0, -suffix.length) : field;
  return bare.replaceAll("_", " ");
}
