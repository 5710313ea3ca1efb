// Commands of a node: buttons for the usual ones, and the list of what became of them.

import { get, post } from "./api.js";
import { $, badge, el, fill, isOperator, nothing, setText } from "./dom.js";
import { stamp } from "./format.js";

const MOST = 20;
const ENDED = new Set(["done", "failed", "refused", "timeout"]);
const SURE = { restart: "Restart this node's agent now?" };

export class Commands {
  constructor(path, node) {
    Object.assign(this, { path, node, rows: new Map() });
    if (!isOperator) return;
    for (const button of $("command-buttons").querySelectorAll("button")) {
      button.addEventListener("click", () => this.send(button.dataset.command));
    }
  }

  async send(name) {
    if (SURE[name] && !confirm(SURE[name])) return;
    setText($("command-problem"), "");
    try {
      this.changed(await post(`${this.path}/commands`, { name, args: name === "logs" ? { lines: 50 } : {} }));
    } catch (error) {
      setText($("command-problem"), error.message);
    }
  }

  async read() {
    const { items } = await get("/commands", { node: this.node, limit: MOST });
    this.rows = new Map(items.map((row) => [row.id, row]));
    this.show();
  }

  changed(row) {
    const known = this.rows.get(row.id);
    // The answer to the request may come after the first live change.
    if (!known || !ENDED.has(known.status)) this.rows.set(row.id, row);
    this.show();
  }

  show() {
    const rows = [...this.rows.values()].sort((a, b) => b.created - a.created).slice(0, MOST);
    const open = new Set([...$("commands").querySelectorAll("details[open]")].map((each) => each.dataset.id));
    fill($("commands"), rows.length ? rows.map((row) => oneCommand(row, open.has(row.id))) : nothing("No commands in the last 24 hours."));
  }
}

function oneCommand(row, isOpen) {
  const line = [badge(row.pct !== null && !ENDED.has(row.status) ? `${row.status} ${row.pct} %` : row.status, row.status),
    el("b", {}, row.name), row.code ? el("span", { class: "code" }, row.code) : null,
    el("span", { class: "by" }, row.by), el("time", {}, stamp(row.created))];
  if (row.result === null || row.result === undefined) return el("div", { class: "command" }, line);
  return el("details", { class: "command", "data-id": row.id, open: isOpen },
    el("summary", {}, line), el("pre", {}, textOf(row.result)));
}

function textOf(result) {
  if (Array.isArray(result?.lines)) return result.lines.map(String).join("\n");
  return typeof result === "string" ? result : JSON.stringify(result, null, 2);
}
