// The cards of a miner, or the boards of an ASIC, as a table of what any of them tells.

import { el, table } from "./dom.js";
import { label } from "./format.js";
import { fault, shown } from "./rig_figures.js";

const UNITS = { hashrate: "H/s", hashrate_2: "H/s", temp: "°C", mem_temp: "°C", fan: "%", fan_rpm: "rpm", power: "W", core_mhz: "MHz", mem_mhz: "MHz",
  accepted: "", rejected: "" };
const OWN = new Set(["card", "ts", "name", "bus", "processor"]);

export function cardTable(cards, what) {
  const other = [...new Set(cards.flatMap(Object.keys))].filter((name) => !OWN.has(name) && !(name in UNITS));
  const fields = [...Object.keys(UNITS), ...other].filter((name) => cards.some((card) => card[name] !== null && card[name] !== undefined));
  const rows = cards.map((card) => [
    el("div", {}, el("b", {}, card.processor === true ? "processor" : String(card.card)), el("small", {}, [card.name, card.bus].filter(Boolean).join(" · "))),
    ...fields.map((name) => (name === "rejected" ? fault(card[name]) : shown(card[name], UNITS[name] ?? "")))]);
  return table([what, ...fields.map((name) => label(name, UNITS[name] ?? ""))], rows, "slaves cards");
}
