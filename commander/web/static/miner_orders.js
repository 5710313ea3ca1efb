// Buttons that tell a miner what to do, and the end of its log: signed commands to its sentry.

import { post } from "./api.js";
import { el, isOperator, setText } from "./dom.js";
import { order } from "./orders.js";

const DEEDS = ["pause", "resume", "restart", "stop", "start"];
const SURE = { restart: "Restart", stop: "Stop" };
const LINES = 200;
const TIMEOUT_S = 60; // a miner may take its time to end

/** Send one to the node's sentry. */
export const commandTo = (node, name, args) => post(`/nodes/${encodeURIComponent(node)}/commands`, { name, args, timeout_s: TIMEOUT_S });

export class MinerOrders {
  constructor(node, name) {
    Object.assign(this, { node, name });
    this.told = el("span", { class: "told", role: "status" });
    this.log = el("pre", { class: "miner-log", hidden: true });
    const button = (text, act) => el("button", { type: "button", class: "quiet", onclick: act }, text);
    this.element = isOperator ? el("div", { class: "actions" }, this.told, DEEDS.map((deed) => button(deed, () => this.tell(deed))), button("log", () => this.ask())) : null;
  }

  async tell(deed) {
    if (SURE[deed] && !confirm(`${SURE[deed]} ${this.name} on ${this.node}?`)) return;
    await order(this.told, deed, () => commandTo(this.node, "miner", { name: this.name, do: deed }));
  }

  async ask() {
    const row = await order(this.told, "log", () => commandTo(this.node, "miner-log", { name: this.name, lines: LINES }));
    if (row?.status !== "done") return;
    const lines = Array.isArray(row.result?.lines) ? row.result.lines.map((line) => (typeof line === "string" ? line : (line?.text ?? JSON.stringify(line)))) : [];
    setText(this.log, lines.join("\n") || "The log is empty.");
    this.log.hidden = false;
    this.log.scrollTop = this.log.scrollHeight;
  }
}
