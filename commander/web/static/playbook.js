// The editor of one playbook: what each node would get is shown while it is written; nothing is saved before it is said.

import { all, post, put, remove } from "./api.js";
import { $, badge, el, fill, isOperator, nodeLink, nothing, setText, table } from "./dom.js";
import { stamp } from "./format.js";
import { listen, soon } from "./live.js";
import { PlaybookForm } from "./playbook_form.js";

const { name } = document.body.dataset;
const path = `/mining/playbooks/${encodeURIComponent(name)}`;
let version = 0;
let form;
let turn = 0;

function nodeOf({ node, miner, others, targeted, differs, held_by: holder, problems }, place) {
  const word = problems.length ? "refused" : !targeted ? "removed" : differs ? "changes" : "same";
  return el("details", { class: "rendered", open: problems.length > 0 || place === 0, "data-node": node },
    el("summary", {}, nodeLink(node), badge(word, problems.length ? "failed" : differs ? "pending" : "applied"),
      others.length ? el("span", { class: "muted" }, `beside ${others.join(", ")}`) : null, holder ? badge("held back", "held") : null),
    problems.map(({ playbook, field, problem }) => el("p", { class: "problem" }, `${playbook === name ? "" : `${playbook}: `}${field}: ${problem}`)),
    miner ? el("pre", {}, [`${miner.software} ${miner.release}`, ...miner.args].join("\n")) : null,
    miner && Object.keys(miner.env ?? {}).length ? el("pre", {}, Object.entries(miner.env).map(([key, value]) => `${key}=${value}`).join("\n")) : null);
}

async function preview() {
  const mine = ++turn;
  try {
    const found = await post("/mining/playbooks/preview", { name, data: form.data() });
    if (mine !== turn) return;
    form.wrong();
    setText($("preview-note"), found.nodes.length === 1 ? "1 node" : `${found.nodes.length} nodes`);
    fill($("preview"), found.nodes.length ? found.nodes.map(nodeOf) : nothing("It is for no node yet: name nodes, groups or tags."));
  } catch (error) {
    if (mine !== turn) return;
    form.wrong(error.field ?? "", error.problem ?? error.message);
    setText($("preview-note"), "");
    fill($("preview"), nothing("What each node would get is shown here as soon as the fields are right."));
  }
}

async function save() {
  setText($("saved"), "");
  try {
    const { note, canary } = { note: form.field("note").value.trim(), canary: form.field("canary").value.trim() };
    tell(await put(path, { data: form.data(), if_version: version, note, canary }));
  } catch (error) {
    form.wrong(error.field ?? "", error.problem ?? error.message);
  }
}

/** What a change has come to: its rollout, and nodes that an older one holds back. */
function tell({ rollout, left, playbook }) {
  const held = Object.keys(left ?? {});
  fill($("saved"), playbook ? `Version ${playbook.version} is saved.` : "It is removed.", " ",
    rollout ? el("a", { href: `/rollouts#${rollout.id}` }, `Rollout ${rollout.id}: ${rollout.state}`) : "No node changes.",
    held.length ? ` Held back by an older rollout: ${held.join(", ")}.` : null);
  return load();
}

const attempt = (work) => work().then(tell).catch((error) => form.wrong(error.field ?? "", error.problem ?? error.message));

function restore(row) {
  if (confirm(`Make version ${row.version} of ${name} the newest?`)) attempt(() => post(`${path}/restore`, { version: row.version, canary: "" }));
}

async function load() {
  const [playbooks, past] = await Promise.all([all("/mining/playbooks"), all(`${path}/versions`)]);
  const known = playbooks.find((each) => each.name === name);
  version = known?.version ?? 0;
  setText($("version"), known ? `version ${version}` : past.length ? "removed" : "new");
  form.show(known?.data ?? {});
  if ($("remove")) $("remove").hidden = !known;
  fill($("versions"), past.length ? table(["version", "made", "by", "note", ""], past.map((row) => [String(row.version), stamp(row.created), row.by,
    row.data ? row.note : `removed ${row.note}`, isOperator && row.data && row.version !== version ? el("button", { type: "button", class: "quiet", onclick: () => restore(row) }, "Restore") : ""]), "records")
    : nothing("It has not been saved yet."));
  if (isOperator && known) await preview();
}

async function start() {
  const [software, templates, labels] = await Promise.all([all("/mining/software"), all("/mining/templates"), all("/mining/labels")]);
  const later = soon(500, preview);
  form = new PlaybookForm(software, templates, later);
  setText($("groups-hint"), [...new Set(labels.map(({ group }) => group).filter(Boolean))].join(", "));
  setText($("tags-hint"), [...new Set(labels.flatMap(({ tags }) => tags))].join(", "));
  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
  $("remove")?.addEventListener("click", () => confirm(`Take ${name} off all of its nodes? Its versions stay.`) && attempt(() => remove(path)));
  if (!isOperator) for (const each of $("form").elements) each.disabled = true;
  await load();
}

listen({}, () => Promise.resolve());
start().catch((error) => fill($("saved"), el("span", { class: "problem" }, error.message)));
