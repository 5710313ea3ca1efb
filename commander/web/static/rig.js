// The page of one rig: totals, slaves, what they did over time, what the pool gateway says, and what happened.

import { get } from "./api.js";
import { $, badge, el, fill, nodeLink, nothing, setText, table } from "./dom.js";
import { ago, duration } from "./format.js";
import { every, listen, soon } from "./live.js";
import { showAlerts, showEvents, showLogs } from "./records.js";
import { fault, letters, showTiles, shown, totalTiles } from "./rig_figures.js";
import { RigPlots } from "./rig_plots.js";

const id = document.body.dataset.node;
const path = `/mining/rigs/${encodeURIComponent(id)}`;
const SLAVE = ["slave", "state", "hash rate", "busy", "accepted", "refused", "lost", "stale", "faults", "wait for a job", "for a verdict",
  "difficulty", "in hand", "figures"];
const POOL = ["slave", "connections", "pool", "tier", "difficulty", "hash rate", "accepted", "refused", "lost", "job came in", "verdict came in",
  "held back", "figures"];
const words = Object.fromEntries([...document.querySelectorAll(".letters dl:first-child dt:not(.head)")]
  .map((letter) => [letter.textContent, letter.nextElementSibling.textContent]));
const plots = new RigPlots(path, $("plots"), $("ranges"), $("step"));
let heard = 0;

function age(ms) {
  return el("span", { class: "figures-age", "data-at": Date.now() - ms }, ago(Date.now() - ms));
}

function slaveRow(slave) {
  return [
    el("div", {}, el("span", { class: "id" }, slave.device), slave.presence === "ready" ? null : badge(slave.presence),
      slave.alerts.map((alert) => el("span", { class: "bad", title: alert.text }, alert.severity)),
      el("small", {}, [slave.chip, slave.firmware].filter(Boolean).join(" · "))),
    el("span", {}, letters(slave.server, [slave.server_text], "G", "DF"), " ", letters(slave.state, [slave.state_text], "", "E")),
    shown(slave.hashrate, "H/s"), shown(slave.busy_pct, "%"), shown(slave.accepted), fault(slave.refused), fault(slave.lost),
    shown(slave.stale), shown(slave.faults), shown(slave.job_wait_ms, "ms"), shown(slave.verdict_wait_ms, "ms"),
    shown(slave.difficulty), shown(slave.in_hand), age(slave.age_ms),
  ];
}

function poolRow({ device, pool }) {
  const said = String(pool.server ?? "");
  return [
    el("div", {}, el("span", { class: "id" }, device), pool.present === false ? badge("away", "unheard") : null, el("small", {}, "by ", nodeLink(pool.gateway))),
    el("span", {}, letters(said, [...said].map((letter) => words[letter]), "G", "DF")), shown(pool.pool), shown(pool.tier),
    shown(pool.difficulty), shown(pool.hashrate, "H/s"), shown(pool.accepted), fault(pool.refused), fault(pool.lost), shown(pool.job_ms, "ms"),
    shown(pool.verdict_ms, "ms"), shown(pool.paced_ms, "ms"), age(pool.age_ms),
  ];
}

function showSlaves(slaves) {
  fill($("slaves"), table(SLAVE, slaves.map(slaveRow), "slaves"));
  slaves.forEach((slave, i) => {
    const row = $("slaves").querySelectorAll("tbody tr")[i];
    row.dataset.slave = slave.device;
    row.classList.toggle("off", slave.presence !== "ready");
  });
  const known = slaves.filter((slave) => slave.pool);
  fill($("pool"), known.length ? table(POOL, known.map(poolRow), "slaves")
    : nothing("No pool gateway reports on these slaves: start one, as docs/duco.md says."));
}

async function readRig() {
  const [rig, day] = await Promise.all([get(path), get(`${path}/history`)]);
  heard = rig.heard;
  fill($("presence"), badge(rig.presence));
  setText($("problem"), rig.presence === "ready" ? "" : `The node is ${rig.presence}: figures are ${duration(Date.now() - rig.ts)} old.`);
  showAlerts($("alerts"), rig.alerts);
  const tiles = totalTiles(rig.totals);
  tiles.splice(4, 0, ["accepted, 24 h", day.totals.accepted]);
  showTiles($("tiles"), tiles);
  showSlaves(rig.slaves);
}

async function readHappened() {
  const [events, logs] = await Promise.all([get("/events", { node: id, limit: 15 }), get("/logs", { node: id, limit: 50 })]);
  showEvents($("events"), events.items, false);
  showLogs($("logs"), logs.items);
}

function readAll(missed) {
  if (missed) plots.load();
  return Promise.all([readRig(), readHappened()]);
}

const again = soon(1_000, () => readRig().catch(() => {}));
const happened = soon(700, () => readHappened().catch(() => {}));
const mine = (handle) => (data) => (data.node ?? data.id) === id && handle(data);
const live = listen({
  telemetry: mine(({ part }) => part === "slave" && again()), node: mine(again), device: mine(again), event: mine(happened), alert: mine(again),
  "alert-cleared": again,
}, readAll, id);

every(1_000, () => {
  setText($("heard"), `heard ${ago(heard)}`);
  for (const each of document.querySelectorAll(".figures-age")) setText(each, ago(Number(each.dataset.at)));
});
every(10_000, happened);
every(20_000, () => live.refresh());
