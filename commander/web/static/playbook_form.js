// The fields of a playbook: from its data into the form and back. A field that the form has no place for stays as it was.

import { $, el, fill, setText } from "./dom.js";
import { tellWrong } from "./problems.js";

const PLACED = ["software", "release", "kind", "mine", "arguments", "targets", "watchdog"];
const WATCHED = { hashrate: "H/s", gpus: "cards", temperature: "°C", mem_temperature: "°C", rejects: "%", power: "W", silence: "s" };
const DEEDS = ["alert", "restart-miner", "restart-driver", "reboot", "stop"];
const words = (text) => text.split(/[\s,]+/).filter(Boolean);
const option = (value, text = value) => el("option", { value }, text);

/** One argument a line; a list, which is repeated for each URL of the pool, as JSON. */
export const linesOf = (given) => given.map((each) => (Array.isArray(each) ? JSON.stringify(each) : each)).join("\n");

export function argumentsOf(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    if (!line.startsWith("[")) return line;
    try {
      return JSON.parse(line);
    } catch {
      return line;
    }
  });
}

function choose(select, value) {
  // What is gone by now must not silently become something else.
  if (value && ![...select.options].some((each) => each.value === value)) select.append(option(value, `${value} (gone)`));
  select.value = value ?? "";
}

function watchRow(watch, changed) {
  const what = el("select", { "aria-label": "watch" }, Object.keys(WATCHED).map((name) => option(name)));
  const side = el("select", { "aria-label": "side" }, option("below"), option("above"));
  const value = el("input", { type: "number", step: "any", "aria-label": "bound", value: watch.below ?? watch.above ?? "" });
  const unit = el("span", { class: "muted" });
  const wait = el("input", { type: "number", min: 0, "aria-label": "seconds", value: watch.for_s });
  const act = el("select", { "aria-label": "act" }, DEEDS.map((name) => option(name)));
  what.value = watch.watch;
  side.value = "above" in watch ? "above" : "below";
  act.value = watch.act;
  const units = () => setText(unit, WATCHED[what.value]);
  what.addEventListener("change", units);
  units();
  const row = el("div", { class: "watch" }, what, side, value, unit, " for ", wait, " s: ", act,
    el("button", { type: "button", class: "quiet", onclick: () => (row.remove(), changed()) }, "remove"));
  row.data = () => {
    const { below: _, above: __, ...rest } = watch;
    return { ...rest, watch: what.value, ...(value.value === "" ? {} : { [side.value]: Number(value.value) }), for_s: Number(wait.value), act: act.value };
  };
  return row;
}

export class PlaybookForm {
  /** changed(): the person has changed something. */
  constructor(software, templates, changed) {
    Object.assign(this, { software, changed, form: $("form"), rest: {} });
    const of = (kind) => templates.filter((each) => each.kind === kind);
    const named = (each) => option(each.name, `${each.name} (${each.data.coin})`);
    fill(this.field("software"), software.map(({ name, title }) => option(name, title)));
    for (const n of [0, 1]) {
      fill(this.field(`pool${n}`), option("", n ? "none" : "none (solo)"), of("pool").map(named));
      fill(this.field(`address${n}`), option("", n ? "none" : "choose"), of("address").map(named));
    }
    this.field("software").addEventListener("change", () => this.chosen(true));
    this.form.addEventListener("input", () => this.changed());
    $("add-watch")?.addEventListener("click", () => {
      $("watchdog").append(watchRow({ watch: "hashrate", below: 1, for_s: 300, act: "restart-miner" }, this.changed));
      this.changed();
    });
  }

  field(name) {
    return this.form.elements.namedItem(name);
  }

  /** The software was chosen: what it has, and with `fresh` its own arguments. */
  chosen(fresh) {
    const about = this.software.find(({ name }) => name === this.field("software").value);
    const releases = [...new Set(about.releases.map(({ release }) => release))].reverse();
    fill(this.field("release"), releases.map((name) => option(name)));
    fill(this.field("kind"), about.mines.map((name) => option(name)));
    fill($("release-hint"), releases.length ? null : ["It has no release yet: an admin adds one at ", el("a", { href: "/software" }, "Software"), "."]);
    if (fresh) this.field("arguments").value = linesOf(about.arguments);
  }

  show(data) {
    const { rest } = this;
    for (const name of Object.keys(rest)) delete rest[name];
    Object.assign(rest, Object.fromEntries(Object.entries(data).filter(([name]) => !PLACED.includes(name))));
    choose(this.field("software"), data.software ?? "xmrig");
    this.chosen(!data.arguments);
    for (const name of ["release", "kind"]) if (data[name]) choose(this.field(name), data[name]);
    if (data.arguments) this.field("arguments").value = linesOf(data.arguments);
    [0, 1].forEach((n) => {
      choose(this.field(`pool${n}`), data.mine?.[n]?.pool);
      choose(this.field(`address${n}`), data.mine?.[n]?.address);
    });
    for (const name of ["nodes", "groups", "tags"]) this.field(name).value = (data.targets?.[name] ?? []).join(", ");
    fill($("watchdog"), (data.watchdog ?? []).map((watch) => watchRow(watch, this.changed)));
    this.field("rest").value = Object.keys(rest).length ? JSON.stringify(rest, null, 1) : "";
  }

  /** The playbook as the form says it; Error when the further fields are no JSON object. */
  data() {
    const value = (name) => this.field(name).value;
    let rest = {};
    try {
      rest = JSON.parse(value("rest").trim() || "{}");
    } catch (error) {
      throw Object.assign(new Error(`must be JSON: ${error.message}`), { field: "rest", problem: `must be JSON: ${error.message}` });
    }
    const mine = [0, 1].filter((n) => n === 0 || value(`pool${n}`) || value(`address${n}`))
      .map((n) => ({ ...(value(`pool${n}`) ? { pool: value(`pool${n}`) } : {}), address: value(`address${n}`) }));
    return { ...rest, software: value("software"), release: value("release"), kind: value("kind"), mine, arguments: argumentsOf(value("arguments")),
      targets: Object.fromEntries(["nodes", "groups", "tags"].map((name) => [name, words(value(name))])),
      watchdog: [...$("watchdog").children].map((row) => row.data()) };
  }

  /** Say what is wrong beside its field, or in general. */
  wrong(field, problem) {
    tellWrong(this.form, field, problem);
  }
}
