// Buttons that tell a miner what to do, and the end of its log: signed commands through the node's command list.

import { post } from "./api.js";
import { badge, el, fill, isOperator, setText } from "./dom.js";

const DEEDS = ["pause", "resume", "restart", "stop", "start"];
const SURE = { restart: "Restart", stop: "Stop" };
const LINES = 200;

export class MinerOrders {
  constructor(node, name) {
    Object.assign(this, { node, name, waiting: new Map() });
    this.told = el("span", { class: "told", role: "status" });
    this.log = el("pre", { class: "miner-log", hidden: true });
    const button = (text, act) => el("button", { type: "button", class: "quiet", onclick: act }, text);
    this.element = isOperator ? el("div", { class: "actions" }, this.told, DEEDS.map((deed) => button(deed, () => this.tell(deed))), button("log", () => this.ask())) : null;
  }

  async tell(deed) {
    if (SURE[deed] && !confirm(`${SURE[deed]} ${this.name} on ${this.node}?`)) return;
    await this.send(deed, "miner", { name: this.name, do: deed });
  }

  ask() {
    return this.send("log", "miner-log", { name: this.name, lines: LINES });
  }

  async send(word, name, args) {
    fill(this.told, badge(`${word}: sent`, "sent"));
    try {
      const row = await post(`/nodes/${encodeURIComponent(this.node)}/commands`, { name, args, timeout_s: 60 });
      const early = this.early?.id === row.id ? this.early : row; // its answer may come before this one
      this.waiting.set(row.id, word);
      this.changed(early);
    } catch (error) {
      fill(this.told, el("span", { class: "problem" }, error.message));
    }
  }

  /** A command of the node has changed. */
  changed(row) {
    const word = this.waiting.get(row.id);
    if (!word) {
      this.early = row;
      return;
    }
    const why = typeof row.result === "string" ? row.result : (row.result?.problem ?? row.result?.text ?? row.code);
    fill(this.told, badge(`${word}: ${row.status}`, row.status), row.status === "done" || !why ? null : el("span", { class: "muted" }, ` ${why}`));
    if (word === "log" && row.status === "done") {
      const lines = Array.isArray(row.result?.lines) ? row.result.lines.map((line) => (typeof line === "string" ? line : (line?.text ?? JSON.stringify(line)))) : [];
      setText(this.log, lines.join("\n") || "The log is empty.");
      this.log.hidden = false;
      this.log.scrollTop = this.log.scrollHeight;
    }
  }
}
