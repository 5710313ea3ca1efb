// Desired documents of a node beside what the node reports of them.

import { badge, el, fill, nothing } from "./dom.js";
import { stamp } from "./format.js";

export function showDocuments(place, desired, reported) {
  const names = [...new Set([...desired, ...reported].map((row) => row.doc))].sort();
  const open = new Set([...place.querySelectorAll("details[open]")].map((each) => each.dataset.doc));
  fill(place, names.length ? names.map((name) => oneDocument(name, desired.find((row) => row.doc === name),
    reported.find((row) => row.doc === name), open.has(name))) : nothing("No documents."));
}

function oneDocument(name, desired, reported, isOpen) {
  const behind = desired && (reported?.rev ?? 0) < desired.rev;
  const word = behind ? "waiting" : (reported?.status ?? "waiting");
  const pct = word === "pending" && typeof reported.data?.pct === "number" ? ` ${reported.data.pct} %` : "";
  const version = typeof desired?.data?.version === "string" ? desired.data.version : "";
  const revs = desired ? `revision ${desired.rev}, reported ${reported?.rev ?? "none"}` : `reported revision ${reported.rev}`;
  return el("details", { class: "document", "data-doc": name, open: isOpen },
    el("summary", {}, badge(word + pct, word), el("b", {}, name), version ? el("span", { class: "code" }, version) : null, el("span", { class: "by" }, revs)),
    reported?.error ? el("p", { class: "problem" }, reported.error) : null,
    el("div", { class: "sides" }, side("desired", desired), side("reported", reported)));
}

function side(title, row) {
  return el("div", {}, el("h4", {}, title, row ? el("small", {}, ` ${stamp(row.updated)}${row.by ? ` by ${row.by}` : ""}`) : null),
    row ? el("pre", {}, JSON.stringify(row.data, null, 2)) : nothing("nothing"));
}
