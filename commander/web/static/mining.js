// The mining farm: what needs a person, sums by algorithm, every machine; kept live.

import { all, get } from "./api.js";
import { $, badge, el, fill, nothing, setText, table } from "./dom.js";
import { ago, number, stamp } from "./format.js";
import { every, listen, soon } from "./live.js";
import { machineTable } from "./machine_table.js";
import { MUCH_REJECTED, STATES, efficiency, machineLink, ofRig, percent } from "./mining_figures.js";
import { showTiles, shown } from "./rig_figures.js";

const MANY = 100; // from so many machines on, changes are gathered for longer
const MOST_PROBLEMS = 50;
const machines = machineTable();

function problemRow(problem) {
  return [badge(problem.severity), el("div", {}, machineLink(problem, problem.device || problem.node), problem.device ? el("small", {}, problem.node) : null),
    problem.what, problem.text, problem.since ? el("time", { title: stamp(problem.since) }, ago(problem.since)) : ""];
}

function showProblems(problems) {
  const first = problems.slice(0, MOST_PROBLEMS);
  const rest = problems.length - first.length;
  setText($("problem-count"), problems.length ? String(problems.length) : "");
  $("problems").closest(".panel").classList.toggle("is-calm", !problems.length);
  fill($("problems"), problems.length ? table(["severity", "machine", "what", "text", "since"], first.map(problemRow), "records problems") : nothing("Nothing needs you."),
    rest ? nothing(`and ${rest} more`) : null);
}

function showSums({ algorithms, power, power_known: told, shares, states, count }) {
  const total = count.miner + count.asic + count.rig;
  showTiles($("tiles"), [
    ["machines hashing", states.online === total ? total : `${states.online} of ${total}`, "", states.online < total],
    ["power", power, "W"],
    ["accepted", shares.accepted], ["rejected", percent(shares.reject_pct), "", shares.reject_pct >= MUCH_REJECTED], ["stale", shares.stale],
  ]);
  setText($("power-note"), told < count.here ? `Power is the sum of the ${told} of ${count.here} machines that measure theirs.` : "");
  fill($("states"), STATES.filter((word) => states[word]).map((word) => el("button", { type: "button", class: `chip is-${word}`, onclick: () => pick(word) },
    el("b", {}, String(states[word])), ` ${word}`)));
  const rows = algorithms.map((each) => [el("b", {}, each.algorithm), shown(each.hashrate, "H/s"), shown(each.power, "W"), efficiency(each.hashes_per_joule),
    number(each.miners)]);
  fill($("algorithms"), rows.length ? table(["algorithm", "hash rate", "power", "efficiency", "machines"], rows, "slaves sums") : nothing("Nothing is mined."));
}

function pick(word) {
  $("filter").value = $("filter").value === word ? "" : word;
  machines.arrange();
}

function showToday(days) {
  const day = days.items.at(-1);
  setText($("today"), day?.kwh == null ? "" : `Today (UTC): ${number(day.kwh)} kWh, ${number(day.accepted)} shares accepted; ${percent(day.covered_pct)} of the time is covered by figures.`);
}

async function read() {
  const [farm, rows, rigs] = await Promise.all([get("/mining/overview"), all("/mining/miners"), all("/mining/rigs")]);
  showProblems(farm.problems);
  showSums(farm);
  machines.show([...rows, ...rigs.map(ofRig)]);
}

const readToday = () => get("/mining/days", { since: Math.floor(Date.now() / 86_400_000) * 86_400_000 }).then(showToday, () => {});
const quickly = soon(1_000, () => live.refresh());
const slowly = soon(5_000, () => live.refresh());
const again = () => (machines.rows.size > MANY ? slowly : quickly)();
const measured = ({ part }) => (part === "miner" || part === "slave") && again();
const live = listen({ telemetry: measured, node: again, device: again, alert: again, "alert-cleared": again, reported: again }, read);
readToday();
every(60_000, readToday);
every(10_000, () => live.refresh());
