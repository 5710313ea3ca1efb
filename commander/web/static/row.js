// One node in the list of the farm.

import { get } from "./api.js";
import { el, nodeLink, setText } from "./dom.js";
import { chosen } from "./figures.js";
import { ago, figure, label } from "./format.js";
import { Spark } from "./spark.js";

const PAST_MS = 15 * 60_000;
const PAST_POINTS = 120;

// Only rows that somebody sees ask for their past.
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) {
      seen.unobserve(entry.target);
      entry.target.dispatchEvent(new CustomEvent("seen"));
    }
  }
});

export class NodeRow {
  constructor(node) {
    this.id = node.id;
    this.domain = node.domain;
    this.presence = "";
    // A broker's steward comes after the nodes that the farm is there for.
    this.order = `${node.kind === "steward" ? 1 : 0} ${node.id}`;
    this.figures = [];
    this.spark = new Spark();
    this.dot = el("span", { class: "dot" });
    this.word = el("span", { class: "word" });
    this.kind = el("span", { class: "kind" });
    this.cells = el("div", { class: "figures" });
    this.heardAt = el("span", { class: "heard" });
    this.alert = el("a", { class: "alert-count", href: "/alerts", hidden: true });
    this.element = el("article", { class: "row", "data-node": node.id, "data-order": this.order },
      el("div", { class: "who" }, this.dot, el("div", {}, nodeLink(node.id), this.kind), this.alert),
      this.cells, this.spark.element, el("div", { class: "when" }, this.word, this.heardAt));
    this.element.addEventListener("seen", () => this.past());
  }

  update(node) {
    this.heard = node.heard;
    setText(this.kind, node.kind);
    this.show(node.presence);
    this.pick(node);
    for (const [device, parts] of Object.entries(node.latest)) {
      for (const [part, { ts, ...data }] of Object.entries(parts)) this.measured(device, part, ts, data, node.heard);
    }
    this.draw();
    this.age();
  }

  /** Show these figures; keep the cells when they are the same as before. */
  pick(node) {
    const best = chosen(node);
    const key = JSON.stringify(best);
    if (key === this.key) return;
    this.key = key;
    this.figures = best.map((each) => ({ ...each, number: el("b"), unitText: el("span", { class: "unit" }) }));
    this.cells.replaceChildren(...this.figures.map((each) => el("div", { class: "figure",
      title: `${each.device} · ${each.part} · ${each.field}` },
      el("span", { class: "value" }, each.number, each.unitText), el("span", { class: "label" }, label(each.field, each.unit)))));
    this.spark.points = [];
    if (best.length) seen.observe(this.element);
  }

  show(presence) {
    this.presence = presence;
    this.dot.className = `dot is-${presence}`;
    this.element.classList.toggle("is-absent", !["ready", "init", "sleeping"].includes(presence));
    setText(this.word, presence);
    this.word.className = `word is-${presence}`;
    this.text = `${this.id} ${this.kind.textContent} ${this.domain} ${presence}`.toLowerCase();
  }

  measured(device, part, ts, data, heard = Date.now()) {
    this.heard = Math.max(this.heard ?? 0, heard ?? 0) || null;
    this.figures.forEach((each, index) => {
      if (each.device !== device || each.part !== part || !(each.field in data)) return;
      each.value = data[each.field];
      if (index === 0 && typeof each.value === "number") this.spark.add(ts, each.value);
    });
  }

  draw() {
    for (const each of this.figures) {
      const { text, unit } = figure(each.value, each.unit);
      setText(each.number, text);
      setText(each.unitText, unit);
    }
    this.spark.draw();
  }

  age() {
    setText(this.heardAt, ago(this.heard));
  }

  alerts(found) {
    this.alert.hidden = !found;
    if (!found) return;
    setText(this.alert, `${found.count} ${found.count === 1 ? "alert" : "alerts"}`);
    this.alert.classList.toggle("is-severe", found.severe);
  }

  async past() {
    const [first] = this.figures;
    if (!first) return;
    const { device, part, field } = first;
    const now = Date.now();
    const values = { device, part, step: "raw", since: now - PAST_MS, until: now, limit: PAST_POINTS };
    const answer = await get(`/nodes/${encodeURIComponent(this.id)}/telemetry`, values).catch(() => null);
    if (!answer || this.figures[0] !== first) return;
    this.spark.prepend(answer.items.filter((item) => typeof item.values[field] === "number").map((item) => [item.ts, item.values[field]]));
  }
}
