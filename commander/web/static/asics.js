// All ASICs, kept live.

import { all } from "./api.js";
import { addForm } from "./asic_add.js";
import { scanForm } from "./asic_scan.js";
import { $ } from "./dom.js";
import { every, listen, soon } from "./live.js";
import { machineTable } from "./machine_table.js";
import { first } from "./mining_figures.js";
import { showTiles } from "./rig_figures.js";

const machines = machineTable();

async function read() {
  const rows = await all("/mining/asics");
  const online = rows.filter(({ state }) => state === "online");
  const sum = (value) => online.reduce((total, row) => total + (value(row) ?? 0), 0);
  const expected = sum((row) => row.expected);
  const rated = online.filter((row) => row.expected).reduce((total, row) => total + (first(row, "hashrate") ?? 0), 0);
  showTiles($("tiles"), [
    ["ASICs hashing", online.length === rows.length ? rows.length : `${online.length} of ${rows.length}`, "", online.length < rows.length],
    ["of what is expected", expected ? (100 * rated) / expected : null, "%", expected > 0 && rated < 0.9 * expected],
    ["power", online.some(({ power }) => power !== null) ? sum((row) => row.power) : null, "W"],
    ["hottest", Math.max(...online.map(({ temp }) => temp ?? -Infinity), -Infinity), "°C"],
    ["with alerts", rows.filter(({ alerts }) => alerts.length).length],
  ].map((tile) => (tile[1] === -Infinity ? [tile[0], null] : tile)));
  machines.show(rows);
}

const again = soon(2_000, () => live.refresh());
const ofAsic = ({ device }) => device?.startsWith("asic-") && again();
const live = listen({ telemetry: ofAsic, node: again, alert: again, "alert-cleared": again }, read);
addForm(again);
scanForm(again);
every(10_000, () => live.refresh());
