// Changes on their way to the nodes: how far each is, and with continue and cancel for those that hold nodes back.

import { get, post } from "./api.js";
import { $, badge, el, fill, isOperator, nodeLink, nothing, setText, table } from "./dom.js";
import { ago, stamp } from "./format.js";
import { every, listen, soon } from "./live.js";

const ORDER = ["applied", "pending", "held", "failed", "superseded", "cancelled"];
const MOST = 50;
const panels = new Map();

function bar(counts) {
  const total = ORDER.reduce((sum, word) => sum + (counts[word] ?? 0), 0);
  return [
    el("div", { class: "progress", role: "img", "aria-label": ORDER.filter((word) => counts[word]).map((word) => `${counts[word]} ${word}`).join(", ") },
      ORDER.filter((word) => counts[word]).map((word) => {
        const part = el("i", { class: `is-${word}` });
        part.style.flexGrow = counts[word] / total;
        return part;
      })),
    el("p", { class: "counts" }, ORDER.filter((word) => counts[word]).map((word) => el("span", { class: `is-${word}` }, el("b", {}, String(counts[word])), ` ${word}`))),
  ];
}

function stepOf({ step, error }) {
  if (error) return el("span", { class: "bad" }, error);
  const miners = Object.entries(step?.miners ?? {});
  return miners.map(([name, told]) => el("span", { class: "step" }, `${name}: ${told?.state ?? "?"}${typeof told?.pct === "number" && told.state === "installing" ? ` ${told.pct} %` : ""}`));
}

class RolloutPanel {
  constructor(row) {
    this.id = row.id;
    this.state = el("span");
    this.body = el("div", { class: "rollout-body" });
    this.nodes = el("div");
    this.details = el("details", { ontoggle: () => this.readNodes() }, el("summary", {}, "Nodes"), this.nodes);
    this.problem = el("p", { class: "problem" });
    this.buttons = isOperator ? el("div", { class: "actions" }, this.button("Continue", "continue", "primary"), this.button("Cancel", "cancel", "danger")) : null;
    this.element = el("section", { class: "panel rollout", id: row.id },
      el("header", {}, el("h2", {}, row.why || row.id), this.state, el("span", { class: "muted" }, `${stamp(row.created)} by ${row.by}`), this.buttons), this.problem, this.body, this.details);
    this.details.open = location.hash === `#${row.id}` || row.trial || row.state === "running";
  }

  button(text, deed, kind) {
    return el("button", { type: "button", class: kind, onclick: () => this.tell(text, deed) }, text);
  }

  async tell(text, deed) {
    if (!confirm(`${text} this rollout?`)) return;
    setText(this.problem, "");
    try {
      await post(`/mining/rollouts/${encodeURIComponent(this.id)}/${deed}`);
      await live.refresh();
    } catch (error) {
      setText(this.problem, error.message);
    }
  }

  show(row) {
    fill(this.state, badge(row.state));
    if (this.buttons) this.buttons.hidden = !row.trial;
    const about = [row.playbooks.length ? `playbooks ${row.playbooks.join(", ")}` : "", row.canary ? `first: group ${row.canary}` : "",
      row.money ? "pools, addresses or coins changed" : "", `changed ${ago(row.updated)}`].filter(Boolean).join(" · ");
    fill(this.body, Object.keys(row.counts).length ? bar(row.counts) : null, el("p", { class: "muted" }, about));
    this.readNodes();
  }

  async readNodes() {
    if (!this.details.open) return;
    const { nodes } = await get(`/mining/rollouts/${encodeURIComponent(this.id)}`).catch(() => ({ nodes: [] }));
    fill(this.nodes, nodes.length ? table(["node", "state", "what it does", "since"], nodes.map((row) => [nodeLink(row.node), badge(row.state), el("div", {}, stepOf(row)),
      ago(row.updated)]), "records") : nothing("No nodes."));
  }
}

async function read() {
  const { items, total } = await get("/mining/rollouts", { limit: MOST });
  for (const row of items) {
    if (!panels.has(row.id)) panels.set(row.id, new RolloutPanel(row));
    panels.get(row.id).show(row);
  }
  const wanted = items.map(({ id }) => panels.get(id).element);
  const place = $("rollouts");
  if (!wanted.length) fill(place, el("section", { class: "panel" }, nothing("Nothing has been rolled out yet: save a playbook.")));
  else if (wanted.some((each, i) => place.children[i] !== each)) place.replaceChildren(...wanted);
  setText($("note"), total > MOST ? `the newest ${MOST} of ${total}` : "");
}

const again = soon(500, () => live.refresh());
const ofPlaybooks = ({ doc }) => doc === "playbooks" && again();
const live = listen({ rollout: again, reported: ofPlaybooks }, read);
every(15_000, () => live.refresh());
