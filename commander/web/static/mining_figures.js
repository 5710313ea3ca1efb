// What the pages of miners and ASICs share: where they are, and their figures as text.

import { badge, el } from "./dom.js";
import { figure, number } from "./format.js";
import { shown } from "./rig_figures.js";

const of = encodeURIComponent;
export const MUCH_REJECTED = 3; // % of shares
export const STATES = ["offline", "idle", "inactive", "online"]; // what needs a look first

/** The page of a miner, an ASIC, a DUCO rig, or of the node when no device is named. */
export function pathOf({ kind, node, device }) {
  if (kind === "rig") return `/rigs/${of(node)}`;
  if (kind === "asic") return device ? `/asics/${of(node)}/${of(device)}` : `/asics?filter=${of(node)}`;
  return `/miners/${of(node)}${device ? `#${of(device)}` : ""}`;
}

export function machineLink(machine, text) {
  return el("a", { class: "id", href: pathOf(machine) }, text ?? machine.name);
}

/** The state, with the node's own word where that is why. */
export function stateBadge({ state, presence, paused }) {
  const why = state === "offline" && presence !== "ready" ? ` (${presence})` : paused ? " (paused)" : "";
  return badge(state + why, state);
}

/** Joules per terahash for what hashes as ASICs do; hashes per second and watt for anything slower. */
export function efficiency(hashesPerJoule) {
  if (!hashesPerJoule) return "–";
  if (hashesPerJoule >= 1e8) return `${number(1e12 / hashesPerJoule)}\u00a0J/TH`;
  const { text, unit } = figure(hashesPerJoule, "H/s");
  return `${text}\u00a0${unit}/W`;
}

/** A share of shares: one decimal, since 0.2 % and 0.02 % are the same to a farmer. */
export const percent = (value) => (value === null || value === undefined ? "–" : `${value.toFixed(value < 10 ? 1 : 0)}\u00a0%`);

export const rates = ({ algorithms }) => algorithms.map(({ hashrate }) => shown(hashrate, "H/s")).join(" + ") || "–";
export const names = ({ algorithms }) => algorithms.map(({ algorithm }) => algorithm || "?").join(" + ") || "–";
export const first = (machine, name) => machine.algorithms[0]?.[name] ?? null;

/** A DUCO rig as one more machine of the list. */
export function ofRig({ node, domain, presence, totals, ts, alerts }) {
  const judged = totals.accepted + totals.refused + totals.stale;
  const state = totals.here === 0 ? "offline" : totals.hashrate > 0 ? "online" : "inactive";
  return { kind: "rig", node, domain, device: "", name: node, presence, state, paused: false, software: "DUCO rig", version: `${totals.known} AVRs`,
    algorithms: [{ algorithm: "DUCO-S1", hashrate: totals.hashrate, pool: "", user: "" }], accepted: totals.accepted, rejected: totals.refused,
    stale: totals.stale, reject_pct: judged ? (100 * totals.refused) / judged : null, power: null, temp: null, uptime_s: null, hashes_per_joule: null,
    alerts, more: {}, ts };
}
