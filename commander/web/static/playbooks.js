// All playbooks, and the groups and tags of the nodes that they are for.

import { all, put } from "./api.js";
import { $, badge, el, fill, isOperator, nodeLink, nothing, setText, table } from "./dom.js";
import { ago } from "./format.js";
import { every, listen, soon } from "./live.js";

const HEADS = ["playbook", "software", "mines", "nodes", "rollout", "changed"];
const pathOf = (name) => `/playbooks/${encodeURIComponent(name)}`;
const words = (text) => text.split(/[\s,]+/).filter(Boolean);

function rowOf({ name, version, data, nodes, held, updated, by }, rollouts) {
  const rollout = rollouts.find((each) => each.playbooks.includes(name));
  const mined = data.mine.map(({ pool, address }) => [pool ?? "solo", address].join(" → ")).join(", ");
  return [
    el("div", {}, el("a", { class: "id", href: pathOf(name) }, name), el("small", {}, ` version ${version}`)),
    el("div", {}, `${data.software} ${data.release}`, el("small", {}, ` ${data.kind}`)), mined,
    el("div", { title: nodes.join(", ") }, nodes.length === 1 ? "1 node" : `${nodes.length} nodes`, held.length ? el("small", {}, ` ${held.length} held back`) : null),
    rollout ? el("a", { href: `/rollouts#${rollout.id}` }, badge(rollout.state)) : "–",
    el("div", {}, ago(updated), el("small", {}, ` by ${by}`)),
  ];
}

function labelRow({ node, group, tags }) {
  if (!isOperator) return [nodeLink(node), group, tags.join(", ")];
  const [groupField, tagField] = [["group", group], ["tags", tags.join(", ")]].map(([name, value]) =>
    el("input", { value, "aria-label": `${name} of ${node}`, autocomplete: "off", spellcheck: "false" }));
  const save = async () => {
    setText($("label-problem"), "");
    await put(`/mining/labels/${encodeURIComponent(node)}`, { group: groupField.value.trim(), tags: words(tagField.value) })
      .catch((error) => setText($("label-problem"), `${node}: ${error.message}`));
  };
  for (const each of [groupField, tagField]) each.addEventListener("change", save);
  return [nodeLink(node), groupField, tagField];
}

async function read() {
  const [playbooks, rollouts] = await Promise.all([all("/mining/playbooks"), all("/mining/rollouts")]);
  fill($("playbooks"), playbooks.length ? table(HEADS, playbooks.map((row) => rowOf(row, rollouts)), "records")
    : nothing("No playbook yet. A playbook says which software mines what, with which pool and address, on which nodes."));
}

async function readLabels() {
  const [labels, nodes] = await Promise.all([all("/mining/labels"), all("/nodes", { kind: "cpu-gpu" })]);
  const known = new Set(nodes.map(({ id }) => id));
  const rows = labels.filter(({ node }) => known.has(node)).map(labelRow);
  fill($("labels"), rows.length ? table(["node", "group", "tags"], rows, "records labels") : nothing("No node of the kind cpu-gpu yet."));
}

$("new")?.addEventListener("submit", (event) => {
  event.preventDefault();
  location.assign(pathOf(new FormData(event.target).get("name").trim()));
});
const again = soon(700, () => live.refresh());
const live = listen({ rollout: again, reported: again }, read);
readLabels();
every(15_000, () => live.refresh());
