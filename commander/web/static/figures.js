// Which few of a node's many values a list shows: what a farmer looks at first, told by unit and name. Pure.

const BY_UNIT = { "H/s": 90, W: 80, "°C": 70, "%": 60, "B/s": 30, kWh: 50, V: 45, A: 44, hPa: 40, lx: 40, ppm: 40, ms: 35, "1/s": 25, Hz: 20, B: 15 };
const BY_NAME = [[/^(cpu|load)$/, 15], [/^(temp|temperature|rate|power)$/, 8], [/rtt/, 20], [/^load1$/, 38], [/mem_used/, 4],
  [/free|total|limit|stored|heap|connected/, -20], [/^clients$/, 12], [/swap|errors?|dropped|queue|uptime|cores|resent|reconnects|since/, -60]];
const MOST = 3;

function weight({ part, field, unit }) {
  const named = BY_NAME.reduce((sum, [pattern, points]) => sum + (pattern.test(field) ? points : 0), 0);
  return (BY_UNIT[unit] ?? 5) + named - (part === "node" ? 40 : 0);
}

/** Entries of device -> anything: the node itself before the things it owns. */
export function byDevice(latest) {
  return Object.entries(latest).sort(([a], [b]) => (b === "self") - (a === "self") || a.localeCompare(b, "en", { numeric: true }));
}

/** [{device, part, field, unit}] of a node as the API lists it, best first; one per unit, so that they say different things. */
export function chosen(node) {
  const found = [];
  for (const [device, parts] of Object.entries(node.latest)) {
    for (const [part, values] of Object.entries(parts)) {
      for (const [field, value] of Object.entries(values)) {
        if (field === "ts" || typeof value !== "number") continue;
        found.push({ device, part, field, unit: node.units?.[part]?.[field] ?? "" });
      }
    }
  }
  found.sort((a, b) => weight(b) - weight(a));
  const best = [];
  for (const each of found) {
    const said = best.some((other) => (other.unit === each.unit && each.unit !== "%") || other.field === each.field);
    if (!said) best.push(each);
    if (best.length === MOST) break;
  }
  return best;
}
