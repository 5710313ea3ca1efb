// Where alerts are told: a list with how each output does, and for admins a form.

import { all, post, put, remove } from "./api.js";
import { $, badge, el, fill, isOperator, nothing, role, setText, table } from "./dom.js";
import { ago } from "./format.js";
import { every } from "./live.js";

const HINTS = {
  ntfy: "topic=my-farm", webhook: "url=https://", email: "host=\nsender=\nto=\nuser=\npassword=", mqtt: "",
};

async function read() {
  const rows = (await all("/notifiers")).map((row) => [
    badge(row.failed ? "failing" : row.sent ? "works" : "not used yet", row.failed ? "failed" : row.sent ? "done" : "info"),
    el("b", { class: "one-line" }, row.name), el("span", { class: "one-line" }, row.kind), where(row.data), `${row.severity} and worse, after ${row.after_s} s`,
    row.failed ? `${row.problem} (${row.failed} times)` : row.sent ? `${row.sent}, the last ${ago(row.sent_at)}` : "none yet",
    role === "admin" ? [action("Test", () => tryOut(row.name)), action("Remove", () => drop(row.name))] : ""]);
  fill($("notifiers"), rows.length ? table(["", "name", "kind", "where", "tells", "messages", ""], rows, "records")
    : nothing("Nobody is told of alerts yet."));
}

const where = (data) => Object.entries(data).filter(([, value]) => value !== "" && value.length !== 0)
  .map(([name, value]) => `${name} ${value}`).join(", ") || "home broker";

const action = (text, onclick) => el("button", { type: "button", class: "quiet", onclick }, text);

async function say(work, done = "") {
  setText($("notifier-problem"), "");
  setText($("notifier-done"), "");
  try {
    await work();
    setText($("notifier-done"), done);
  } catch (error) {
    setText($("notifier-problem"), error.message);
  }
  await read();
}

const tryOut = (name) => say(() => post(`/notifiers/${encodeURIComponent(name)}/test`, {}), `${name} took an example`);

function drop(name) {
  if (confirm(`Tell nothing to ${name} any more?`)) say(() => remove(`/notifiers/${encodeURIComponent(name)}`));
}

function settings(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  return Object.fromEntries(lines.map((line) => {
    const [name, ...rest] = line.split("=");
    const value = rest.join("=").trim();
    return [name.trim(), name.trim() === "to" ? value.split(",").map((each) => each.trim()) : value];
  }));
}

if (isOperator) {
  const form = $("new-notifier");
  const hint = () => { form.data.value = HINTS[form.kind.value]; };
  form?.kind.addEventListener("change", hint);
  if (form) hint();
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const { name, kind, data, severity, after_s: after } = Object.fromEntries(new FormData(form));
    say(() => put(`/notifiers/${encodeURIComponent(name)}`, { kind, data: settings(data), severity, after_s: Number(after) }),
      `${name} is kept; test it`);
  });
  read();
  every(10_000, read);
}
