// The page of one rig: what it shall mine, what each of its miners does, and what needs a person.

import { get } from "./api.js";
import { $, badge, el, fill, nothing, setText } from "./dom.js";
import { ago, stamp } from "./format.js";
import { every, listen, soon } from "./live.js";
import { maintenanceSwitch, showMaintenance } from "./maintenance.js";
import { MachinePanel } from "./machine_panel.js";
import { stateBadge } from "./mining_figures.js";
import { MinerOrders } from "./miner_orders.js";
import { showEvents } from "./records.js";

const id = document.body.dataset.node;
const path = `/mining/miners/${encodeURIComponent(id)}`;
const panels = new Map();
let heard = 0;

class MinerSection {
  constructor(name) {
    this.orders = new MinerOrders(id, name);
    this.state = el("span");
    this.step = el("span", { class: "step" });
    this.problem = el("p", { class: "problem" });
    this.wanted = el("details", { class: "wanted" }, el("summary", {}, "What it shall run"), el("pre"));
    this.body = el("div");
    this.element = el("section", { class: "panel miner", id: `miner-${name}`, "data-miner": name },
      el("header", {}, el("h2", {}, name), this.state, this.step, this.orders.element), this.problem, this.orders.log, this.body, this.wanted);
  }

  show(name, miner, wish, told) {
    fill(this.state, miner ? stateBadge(miner) : null);
    const pct = typeof told?.pct === "number" ? ` ${told.pct} %` : "";
    const said = String(told?.state ?? "");
    fill(this.step, said && said !== "running" ? badge(said + pct, said) : null,
      wish ? el("span", { class: "muted" }, ` playbook ${wish.playbook} v${wish.version} · ${wish.software} ${wish.release}`) : el("span", { class: "muted" }, " not from a playbook"));
    setText(this.problem, String(told?.problem ?? ""));
    this.wanted.hidden = !wish;
    if (wish) setText(this.wanted.lastChild, [`${wish.software} ${wish.release}`, ...(wish.args ?? [])].join("\n"));
    if (miner && !this.panel) {
      this.panel = new MachinePanel(id, miner.device, "card");
      fill(this.body, this.panel.parts);
    }
    if (miner) this.panel.show(miner);
    else if (!this.panel) fill(this.body, nothing("It has not reported any figures yet."));
  }
}

function showPlaybooks({ desired, reported }) {
  const behind = desired && (reported?.rev ?? 0) < desired.rev;
  const word = behind ? "waiting" : (reported?.status ?? "waiting");
  const running = reported?.data?.running_rev;
  const text = !desired ? "No playbook is for this rig." : `revision ${desired.rev} of ${stamp(desired.updated)}${desired.by ? ` by ${desired.by}` : ""}`;
  fill($("playbooks"), desired ? badge(word) : null, el("span", {}, text),
    desired && typeof running === "number" && running !== desired.rev ? el("span", { class: "bad" }, `revision ${running} runs`) : null,
    reported?.error && !behind ? el("p", { class: "problem" }, reported.error) : null);
}

function showProblems(problems) {
  fill($("alerts"), problems.map((each) => el("div", { class: `alert is-${each.severity}`, role: "status" }, badge(each.severity), el("p", {}, each.text),
    el("small", {}, [each.device || each.what, each.since ? `since ${stamp(each.since)}` : ""].filter(Boolean).join(" · ")))));
}

async function readRig() {
  const rig = await get(path);
  heard = rig.heard;
  fill($("presence"), badge(rig.presence));
  showMaintenance(rig.maintenance);
  showProblems(rig.problems);
  showPlaybooks(rig.playbooks);
  const wishes = new Map((rig.playbooks.desired?.data?.miners ?? []).map((wish) => [wish.name, wish]));
  const miners = new Map(rig.miners.filter(({ kind }) => kind === "miner").map((miner) => [miner.name, miner]));
  const names = [...new Set([...wishes.keys(), ...miners.keys(), ...Object.keys(rig.playbooks.steps)])];
  for (const [name, panel] of panels) {
    if (!names.includes(name)) {
      panel.element.remove();
      panels.delete(name);
    }
  }
  for (const name of names) {
    if (!panels.has(name)) {
      const section = new MinerSection(name);
      panels.set(name, section);
      $("miners").append(section.element);
    }
    panels.get(name).show(name, miners.get(name), wishes.get(name), rig.playbooks.steps[name]);
  }
}

async function readEvents() {
  const { items } = await get("/events", { node: id, type: "miner", limit: 15 });
  showEvents($("events"), items, false);
}

const again = soon(1_000, () => live.refresh());
const mine = (handle) => (data) => (data.node ?? data.id) === id && handle(data);
const live = listen({
  telemetry: mine(({ part }) => (part === "miner" || part.startsWith("card-")) && again()), node: mine(again), alert: mine(again), "alert-cleared": again,
  reported: mine(again), event: mine(again),
}, () => Promise.all([readRig(), readEvents()]), id);
maintenanceSwitch(id);
every(1_000, () => setText($("heard"), `heard ${ago(heard)}`));
every(10_000, () => live.refresh());
