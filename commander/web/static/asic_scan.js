// Has a sentry find ASICs in a range of addresses, and adds those that a person chooses.

import { all, get, post } from "./api.js";
import { $, badge, el, fill, nothing, table } from "./dom.js";
import { asicLink } from "./asic_add.js";
import { number } from "./format.js";
import { followed, whyOf } from "./orders.js";
import { attempted, tellWrong } from "./problems.js";
import { shown } from "./rig_figures.js";

const HEADS = ["", "name", "type", "address", "model", "algorithm", "hash rate", "pool"];
const RECENT_MS = 600_000;
const place = ({ host, port }) => (port ? `${host}:${port}` : host);
const pathOf = (node) => `/nodes/${encodeURIComponent(node)}/asics`;

function foundRow(node, found, known) {
  const name = known.get(place(found));
  const choose = el("input", { type: "checkbox", checked: true, "aria-label": `add ${place(found)}` });
  const field = el("input", { value: `asic-${found.host}`.toLowerCase().replace(/[^a-z0-9_-]/g, "-").slice(0, 40), maxlength: 40, "aria-label": `name of ${place(found)}`,
    autocomplete: "off", spellcheck: "false" });
  const wish = () => ({ name: field.value.trim(), type: found.type, host: found.host, ...(found.port ? { port: found.port } : {}) });
  return { wish: () => (!name && choose.checked ? wish() : null),
    cells: [name ? "" : choose, name ? asicLink(node, name) : field, found.type, el("code", {}, place(found)), found.model ?? "–", found.algorithm ?? "–",
      found.hashrate == null ? "–" : shown(found.hashrate, "H/s"), found.pool ?? "–"].map((cell) => (cell instanceof Node ? cell : String(cell))) };
}

async function showFound(node, { asked, found, more }, added) {
  const known = new Map((await all(pathOf(node))).map((asic) => [place(asic), asic.name]));
  const rows = found.map((each) => foundRow(node, each, known));
  const problem = el("p", { class: "problem", "data-problem": "" });
  const button = el("button", { class: "primary" }, "Add the chosen ones");
  const form = el("form", { class: "found" }, table(HEADS, rows.map(({ cells }) => cells), "records"), problem, el("div", { class: "actions" }, button));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const asics = rows.map(({ wish }) => wish()).filter(Boolean);
    if (!asics.length) return tellWrong(form, "", "None is chosen.");
    // The scan has just looked at them.
    if (!(await attempted(form, () => post(pathOf(node), { asics, unchecked: true })))) return undefined;
    added();
    return showFound(node, { asked, found, more }, added);
  });
  button.hidden = !rows.some(({ wish }) => wish());
  fill($("found"), el("p", { class: "note" }, `${node} found ${number(found.length)} at ${number(asked)} addresses${more ? `; ${number(more)} more were left out` : ""}.`),
    rows.length ? form : nothing("None of the addresses answers as an ASIC does."));
}

function showProgress({ status, pct, result }) {
  const bar = $("scan-progress");
  bar.hidden = status === "done";
  bar.value = pct ?? 0;
  const seen = typeof result?.found === "number" ? `, ${result.found} found` : "";
  fill($("scan-told"), status === "done" ? null : [badge(status), ` ${pct ?? 0} %${seen}`]);
}

async function run(row, form, added) {
  const button = form.querySelector("button.primary");
  button.disabled = true;
  try {
    const { status, result, ...rest } = await followed(row, showProgress);
    if (status === "done") await showFound(row.node, result, added);
    else tellWrong(form, String(result?.field ?? ""), whyOf({ result, ...rest }) || status);
  } finally {
    button.disabled = false;
    $("scan-progress").hidden = true;
    fill($("scan-told"));
  }
}

/** A scan goes on when the page is left: one of the last minutes is shown again. */
async function resume(form, added) {
  for (const { value } of form.elements.namedItem("node").options) {
    const { items } = await get("/commands", { node: value, since: Date.now() - RECENT_MS, limit: 100 });
    const row = items.find(({ name, status }) => name === "asic-scan" && ["sent", "accepted", "progress", "done"].includes(status));
    if (!row) continue;
    form.closest("details").open = true;
    form.elements.namedItem("node").value = value;
    form.elements.namedItem("range").value = String(row.args?.range ?? "");
    form.elements.namedItem("ports").value = (row.args?.ports ?? []).join(", ");
    await run(row, form, added);
    return;
  }
}

export function scanForm(added) {
  const form = $("scan-form");
  if (!form) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(form));
    const ports = given.ports.split(/[\s,]+/).filter(Boolean).map(Number);
    fill($("found"));
    attempted(form, async () => {
      const wish = { range: given.range.trim(), ...(ports.length ? { ports } : {}), ...(given.force ? { force: true } : {}) };
      await run(await post(`${pathOf(given.node)}/scan`, wish), form, added);
    });
  });
  resume(form, added).catch((error) => tellWrong(form, "", error.message));
}
