// What can be told to an ASIC: only where an admin allows it, and what its type can.

import { post, put, remove } from "./api.js";
import { $, el, fill, isOperator, role, setText } from "./dom.js";
import { order } from "./orders.js";
import { shown } from "./rig_figures.js";

export const ABLE = { cgminer: ["restart", "sleep", "wake"], braiins: ["restart", "sleep", "wake"], iceriver: [], bitaxe: ["reboot"],
  pyasic: ["restart", "reboot", "sleep", "wake", "power_limit"] };
const SURE = { restart: "Restart", reboot: "Reboot", sleep: "Put to sleep:" };

const ruleOf = ({ watch, below, above, for_s: wait, act }) =>
  [watch, below === undefined ? "" : `below ${below}`, above === undefined ? "" : `above ${above}`, `for ${wait} s: ${act}`].filter(Boolean).join(" ");

export class AsicOrders {
  /** changed(): its record is another one. */
  constructor(node, name, changed) {
    Object.assign(this, { name, changed, path: `/nodes/${encodeURIComponent(node)}/asics/${encodeURIComponent(name)}` });
    $("remove")?.addEventListener("click", () => this.remove());
    $("control")?.addEventListener("click", () => this.allow($("control").getAttribute("aria-checked") !== "true"));
  }

  /** Of one that its sentry is not to watch any more there is no record. */
  show(record) {
    $("record").hidden = !record;
    if (record) this.tellOf(record);
  }

  tellOf({ type, host, port, control, poll_s: poll, expected, watchdog, said }) {
    const facts = [["type", type], ["address", port ? `${host}:${port}` : host], ["looked at", poll ? `every ${poll} s` : ""],
      ["expected", expected === undefined ? "" : shown(expected, "H/s")], ["watchdog", (watchdog ?? []).map(ruleOf).join("; ")], ["problem", String(said?.problem ?? "")]];
    fill($("record-facts"), el("dl", {}, facts.filter(([, value]) => value).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))));
    $("control")?.setAttribute("aria-checked", String(control));
    const can = ABLE[type] ?? [];
    setText($("control-note"), !control ? "It is only watched: an admin can allow more." : can.length ? "" : `It may be controlled, but nothing can be told to the type ${type}.`);
    const key = `${control} ${type}`;
    if (key === this.key || !isOperator) return;
    this.key = key;
    fill($("deeds"), control ? can.map((deed) => (deed === "power_limit" ? this.limit() : el("button", { type: "button", onclick: () => this.tell(deed) }, deed))) : null);
  }

  limit() {
    const watts = el("input", { type: "number", min: 1, max: 99_999, step: 1, required: true, "aria-label": "power limit in W", placeholder: "W" });
    const form = el("form", { class: "actions" }, watts, el("button", {}, "set power limit"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.tell("power_limit", Number(watts.value));
    });
    return form;
  }

  async tell(deed, value) {
    if (SURE[deed] && !confirm(`${SURE[deed]} ${this.name}?`)) return;
    await order($("told"), deed, () => post(`${this.path}/control`, { do: deed, ...(value ? { value } : {}) }));
  }

  async allow(control) {
    await this.attempt(() => put(this.path, { control }));
    this.changed();
  }

  async remove() {
    if (!confirm(`Watch ${this.name} no longer? Its history stays.`)) return;
    await this.attempt(async () => {
      await remove(this.path);
      location.assign("/asics");
    });
  }

  attempt(work) {
    fill($("told"));
    return work().catch((error) => fill($("told"), el("span", { class: "problem" }, error.message)));
  }
}
