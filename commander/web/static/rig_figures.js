// What the pages of rigs share: tiles, letters, and figures as text.

import { el, fill } from "./dom.js";
import { figure } from "./format.js";

export function shown(value, unit = "") {
  const said = figure(value, unit);
  return said.unit ? `${said.text}\u00a0${said.unit}` : said.text;
}

/** A count that should be 0, marked when it is not. */
export const fault = (value) => (value ? el("span", { class: "bad" }, shown(value)) : shown(value));

/** Letters of states with their words; `good`, `bad`: which of them are. */
export function letters(text, words, good = "", bad = "") {
  if (!text) return "–";
  return [...text].map((letter, i) => el("span", { class: `letter${good.includes(letter) ? " is-good" : bad.includes(letter) ? " is-bad" : ""}`,
    title: words[i] || null }, letter));
}

/** tiles: [label, value, unit, whether bad]. */
export function showTiles(place, tiles) {
  fill(place, tiles.map(([label, value, unit, bad]) => {
    const said = figure(value, unit);
    return el("div", { class: bad ? "tile is-bad" : "tile", "data-tile": label }, el("span", { class: "value" }, el("b", {}, said.text),
      el("span", { class: "unit" }, said.unit)), el("span", { class: "label" }, label));
  }));
}

/** The tiles of one rig, or of the sum of some. */
export function totalTiles(totals) {
  return [
    ["hash rate", totals.hashrate, "H/s"],
    ["slaves here", totals.here === totals.known ? totals.here : `${totals.here} of ${totals.known}`, "", totals.here < totals.known],
    ["busy", totals.busy_pct, "%"],
    ["accepted", totals.accepted],
    ["refused", totals.refused, "", totals.refused > 0],
    ["lost", totals.lost, "", totals.lost > 0],
    ["faults", totals.faults],
    ["job wait", totals.job_wait_ms, "ms"],
    ["verdict wait", totals.verdict_wait_ms, "ms"],
  ];
}
