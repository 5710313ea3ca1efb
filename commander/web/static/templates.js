// Coins, pools and addresses. Where the money goes is the admin's: others only look.

import { all, put, remove } from "./api.js";
import { $, el, fill, nothing, role, setText, table } from "./dom.js";
import { ago } from "./format.js";
import { every, listen } from "./live.js";

const isAdmin = role === "admin";
const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
const KINDS = {
  coin: { columns: ["algorithm", "title"], cells: ({ algorithm, title }) => [algorithm, title] },
  pool: {
    columns: ["coin", "URLs", "user"], cells: ({ coin, urls, user }) => [coin, el("div", {}, urls.map(({ url }) => el("code", { class: "line-code" }, url))), el("code", {}, user)],
    toForm: ({ urls, ...data }) => ({ ...data, urls: urls.map(({ url }) => url).join("\n") }),
    fromForm: ({ urls, user, password, ...data }, old) => ({ ...data, urls: lines(urls).map((url) => old?.urls?.find((each) => each.url === url) ?? { url }),
      ...(user ? { user } : {}), ...(password ? { password } : {}) }),
  },
  address: { columns: ["coin", "address"], cells: ({ coin, address }) => [coin, el("code", {}, address)] },
};
const known = { coin: [], pool: [], address: [] };

function rowOf(kind, row) {
  const buttons = isAdmin && [el("button", { type: "button", class: "quiet", onclick: () => edit(kind, row) }, "Edit"),
    el("button", { type: "button", class: "quiet", onclick: () => drop(kind, row) }, "Remove")];
  return [el("b", {}, row.name), ...KINDS[kind].cells(row.data), row.used_by.join(", ") || "nothing", ago(row.updated), buttons || ""];
}

function edit(kind, row) {
  const form = $(`${kind}-form`);
  const data = (KINDS[kind].toForm ?? ((each) => each))(row.data);
  form.reset();
  form.closest("details").open = true;
  form.elements.namedItem("name").value = row.name;
  for (const [name, value] of Object.entries(data)) if (form.elements.namedItem(name)) form.elements.namedItem(name).value = value;
  form.dataset.version = row.version;
  form.dataset.name = row.name;
  form.elements.namedItem("name").scrollIntoView({ block: "center" });
}

async function drop(kind, { name }) {
  if (!confirm(`Remove the ${kind} ${name}?`)) return;
  await attempt(kind, () => remove(`/mining/templates/${kind}/${encodeURIComponent(name)}`));
}

async function attempt(kind, work) {
  const place = $(`${kind}-said`);
  fill(place);
  try {
    const { rollout } = await work();
    if (rollout) fill(place, "Playbooks that use it are issued again: ", el("a", { href: `/rollouts#${rollout.id}` }, `rollout ${rollout.id}`));
    await read();
    return true;
  } catch (error) {
    fill(place, el("span", { class: "problem" }, error.message));
    return false;
  }
}

async function save(kind, form) {
  const { name, canary, ...given } = Object.fromEntries([...new FormData(form)].map(([field, value]) => [field, value.trim()]));
  const old = known[kind].find((row) => row.name === name);
  const data = (KINDS[kind].fromForm ?? ((each) => each))(given, old?.data);
  const version = form.dataset.name === name ? Number(form.dataset.version) : 0;
  const done = await attempt(kind, () => put(`/mining/templates/${kind}/${encodeURIComponent(name)}`, { data, if_version: version, canary: canary ?? "" }));
  if (!done) return;
  form.reset();
  form.dataset.name = "";
  form.closest("details").open = false;
}

async function read() {
  const rows = await all("/mining/templates");
  for (const [kind, { columns }] of Object.entries(KINDS)) {
    known[kind] = rows.filter((row) => row.kind === kind);
    fill($(`${kind}-list`), known[kind].length ? table(["name", ...columns, "used by", "changed", ""], known[kind].map((row) => rowOf(kind, row)), "records") : nothing(`No ${kind} yet.`));
  }
  for (const select of document.querySelectorAll("select[name=coin]")) {
    const { value } = select;
    fill(select, known.coin.map(({ name }) => el("option", {}, name)));
    if (value) select.value = value;
  }
}

for (const kind of Object.keys(KINDS)) {
  $(`${kind}-form`)?.addEventListener("submit", (event) => {
    event.preventDefault();
    save(kind, event.target);
  });
}
// A form that somebody writes in is left alone.
const live = listen({}, () => (document.querySelector("details.edit[open]") ? Promise.resolve() : read()));
every(20_000, () => live.refresh());
