// The mining software that playbooks may name, and its releases. Which program runs is the admin's: others only look.

import { all, put, remove } from "./api.js";
import { $, el, fill, nothing, role, table } from "./dom.js";
import { ago } from "./format.js";
import { every, listen } from "./live.js";
import { argumentsOf, linesOf } from "./playbook_form.js";
import { attempted, tellWrong } from "./problems.js";

const isAdmin = role === "admin";
const HEADS = ["release", "platform", "from", "SHA-256", "program in it", "used by", "changed", ""];
const path = (name, release, platform) => ["/mining/software", name, ...(release ? ["releases", release, platform] : [])].map((each, i) => (i ? encodeURIComponent(each) : each)).join("/");
const trimmed = (form) => Object.fromEntries([...new FormData(form)].map(([field, value]) => [field, value.trim()]));
const given = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
const small = (text, act) => el("button", { type: "button", class: "quiet", onclick: act }, text);
const isSafe = (address) => /^https?:\/\//.test(address);

/** One software: what is known of it, its releases, and for admins the form of a release. */
class SoftwarePanel {
  constructor(name) {
    this.name = name;
    [this.head, this.releases, this.about] = [el("header"), el("div"), el("pre")];
    this.said = el("div", { class: "said", role: "status" });
    this.element = el("section", { class: "panel software", "data-software": name }, this.head, this.releases, this.said,
      el("details", { class: "wanted" }, el("summary", {}, "Template of its arguments"), this.about));
    if (!isAdmin) return;
    this.details = $("release-form").content.cloneNode(true).querySelector("details");
    this.form = this.details.querySelector("form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    this.element.append(this.details);
  }

  show(software) {
    const { title, licence, homepage, platforms, mines, adapter, api_port: port, shipped, releases } = software;
    const facts = [mines.join(" and "), licence, adapter === "none" ? "only its process is watched" : `asked as ${adapter}${port ? ` at port ${port}` : ""}`, platforms.join(", ")];
    fill(this.head, el("h2", {}, title), el("span", { class: "tag" }, this.name), el("span", { class: "muted" }, facts.filter(Boolean).join(" · ")),
      isSafe(homepage) ? el("a", { href: homepage, rel: "noreferrer" }, "homepage") : null,
      isAdmin && !shipped ? el("div", { class: "actions" }, small("Edit", () => editOwn(software)), small("Remove", () => this.drop(""))) : null);
    fill(this.releases, releases.length ? table(HEADS, releases.map((row) => this.rowOf(row)), "records releases") : nothing("No release yet: playbooks cannot use it."));
    this.about.textContent = linesOf(software.arguments) || "none";
    if (this.form && !this.details.open) this.form.elements.namedItem("platform").placeholder = platforms[0] ?? "linux-x86_64";
  }

  rowOf(row) {
    return [el("b", {}, row.release), row.platform, el("code", {}, row.url ?? row.path), el("code", { class: "digest" }, row.sha256),
      row.archive === "none" ? "" : el("code", {}, `${row.member} (${row.archive})`), row.used_by.join(", ") || "nothing", el("span", {}, ago(row.updated), el("small", {}, ` by ${row.by}`)),
      isAdmin ? el("span", {}, small("Edit", () => this.edit(row)), small("Remove", () => this.drop(row.release, row.platform))) : ""];
  }

  edit(row) {
    this.form.reset();
    tellWrong(this.form);
    for (const [field, value] of Object.entries(row)) if (this.form.elements.namedItem(field)) this.form.elements.namedItem(field).value = value;
    this.details.open = true;
    this.form.elements.namedItem("release").scrollIntoView({ block: "center" });
  }

  async save() {
    const { release, platform, canary, ...data } = trimmed(this.form);
    const done = await attempted(this.form, async () => this.tell(await put(path(this.name, release, platform), { data: given(data), canary }), `Release ${release} is saved.`));
    if (!done) return;
    this.form.reset();
    this.details.open = false;
    await read();
  }

  async drop(release, platform) {
    if (!confirm(`Remove ${this.name} ${release}?`)) return;
    try {
      this.tell(await remove(path(this.name, release, platform)), "It is removed.");
      await read();
    } catch (error) {
      fill(this.said, el("span", { class: "problem" }, error.problem ?? error.message));
    }
  }

  tell({ rollout }, text) {
    fill(this.said, text, rollout ? [" Playbooks that use it are issued again: ", el("a", { href: `/rollouts#${rollout.id}` }, `rollout ${rollout.id}`)] : null);
  }
}

const panels = new Map();

async function read() {
  const rows = await all("/mining/software");
  for (const row of rows) {
    if (!panels.has(row.name)) panels.set(row.name, new SoftwarePanel(row.name));
    panels.get(row.name).show(row);
  }
  for (const name of panels.keys()) if (!rows.some((row) => row.name === name)) panels.delete(name);
  const wanted = rows.map(({ name }) => panels.get(name).element);
  const place = $("software");
  if (wanted.length !== place.children.length || wanted.some((each, i) => place.children[i] !== each)) place.replaceChildren(...wanted);
}

// Software of one's own

const own = $("own-form");

function editOwn(row) {
  for (const field of ["name", "title", "licence", "homepage", "adapter", "api_port"]) own.elements.namedItem(field).value = row[field] || "";
  own.elements.namedItem("platforms").value = row.platforms.join(", ");
  own.elements.namedItem("arguments").value = linesOf(row.arguments);
  for (const box of own.querySelectorAll("[name=mines]")) box.checked = row.mines.includes(box.value);
  own.closest("details").open = true;
  own.scrollIntoView({ block: "center" });
}

async function saveOwn() {
  const { name, platforms, arguments: lines, mines: _, api_port: port, ...rest } = trimmed(own);
  const data = { ...given(rest), mines: new FormData(own).getAll("mines"), platforms: platforms.split(/[\s,]+/).filter(Boolean),
    arguments: argumentsOf(lines), ...(port ? { api_port: Number(port) } : {}) };
  const done = await attempted(own, async () => {
    const answer = await put(path(name), { data });
    await read();
    panels.get(name).tell(answer, "It is saved. Add a release, so that playbooks can use it.");
  });
  if (!done) return;
  own.reset();
  own.closest("details").open = false;
  panels.get(name).element.scrollIntoView({ block: "center" });
}

own?.addEventListener("submit", (event) => {
  event.preventDefault();
  saveOwn();
});
const live = listen({}, read);
every(20_000, () => live.refresh());
