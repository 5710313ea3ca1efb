// FPGA boards: who has which, who waits, what came of it, what happened; with end for leases; reboot, delete and the
// console for boards.

import { get, post } from "./api.js";
import { openConsole } from "./console.js";
import { $, badge, el, fill, isOperator, nodeLink, nothing, setText, table } from "./dom.js";
import { stamp } from "./format.js";
import { every, listen, soon } from "./live.js";
import { pairs } from "./records.js";

const MOST = 1000;
const SHOWN_LEASES = 100; // and all that have not ended
const SHOWN_HISTORY = 50;
const SHOWN_RESULTS = 20;
const one = new URLSearchParams(location.search).get("board") ?? "";
const KINDS = { active: "done", leased: "done", ready: "ready", broken: "failed", quarantine: "failed", ended: "sleeping" };

const state = (word) => badge(word, KINDS[word] ?? "pending");
const boardLink = (serial) => el("a", { href: `?board=${encodeURIComponent(serial)}`, class: "id", title: "its results and history" }, serial);
const time = (ms) => (ms ? el("time", {}, stamp(ms)) : "");

function button(text, question, path, body) {
  return el("button", { type: "button", onclick: async () => {
    if (!confirm(question)) return;
    setText($("problem"), "");
    try {
      await post(path, body);
    } catch (error) {
      setText($("problem"), error.message);
    }
    await live.refresh();
  } }, text);
}

function leaseRow(row) {
  const given = row.boards.map(({ serial }) => [el("span", { class: "whole" }, serial), " "]);
  const boards = given.length ? given : `${row.count} wanted${row.gang ? ` (gang ${row.gang})` : ""}`;
  const failing = Object.entries(row.failing).map(([serial, problem]) => el("div", { class: "bad" }, `${serial}: ${problem}`));
  const begins = row.state === "waiting" ? [`place ${row.position}`, row.eta ? ", expected " : "", time(row.eta)] : time(row.begun);
  const end = isOperator && row.state !== "ended" ? button("End", `End ${row.id} of ${row.user}?`, `/boards/leases/${row.id}/end`) : "";
  const user = el("div", {}, row.user, row.name ? el("div", { class: "muted" }, row.name) : "");
  return [row.id, state(row.state), user, row.kind, el("div", {}, boards, failing), el("div", {}, begins), row.why || time(row.until), end];
}

function boardRow(row) {
  const shaky = row.health === "shaky" ? [" ", badge(row.health, "warning")] : "";
  const word = [row.presence === "ready" ? state(row.state) : badge(row.presence), shaky];
  const ask = (text, question) => button(text, `${question} ${row.serial}?`, `/boards/${row.serial}/do`, { do: text.toLowerCase() });
  const look = el("button", { type: "button", onclick: () => openConsole(row.serial) }, "Console");
  const deeds = isOperator ? el("div", {}, look, " ", ask("Reboot", "Reboot"), " ", ask("Delete", "Have the sentry forget all of")) : "";
  return [boardLink(row.serial), nodeLink(row.node), row.type, row.tags.join(" "), row.firmware, el("div", {}, word, row.problem ? el("div", { class: "bad" }, row.problem) : ""), row.user ?? "", time(row.until), deeds];
}

function result(row) {
  const value = row.problem ? el("div", { class: "bad" }, row.problem) : el("b", {}, typeof row.value === "number" ? row.value.toLocaleString("en") : JSON.stringify(row.value));
  const times = [row.took_ms === null ? "" : `${row.took_ms} ms`, row.gate_ms ? el("div", { class: "muted" }, `simulated ${row.gate_ms} ms`) : ""];
  return [time(row.ts), row.serial, row.user, row.batch, row.evaluation, value, el("div", {}, times)];
}

function past(row) {
  const { until, ...rest } = row.data;
  const told = Object.fromEntries(Object.entries(rest).filter(([, value]) => value && Object.keys(value).length !== 0 || typeof value === "number"));
  return [time(row.ts), row.serial, el("b", {}, row.what), row.user, row.lease, pairs(until ? { ...told, until: stamp(until) } : told)];
}

async function openLeases() {
  const some = await get("/boards/leases", { limit: SHOWN_LEASES });
  return some.next && some.items.at(-1).state !== "ended" ? get("/boards/leases", { limit: MOST }) : some;
}

async function read() {
  const asked = [get("/boards", { limit: MOST }), openLeases(), get("/boards/results", { serial: one, limit: SHOWN_RESULTS }), get("/boards/history", { serial: one, limit: SHOWN_HISTORY })];
  const [boards, leases, results, history] = await Promise.all(asked);
  const free = boards.items.filter((row) => row.free).length;
  setText($("note"), `${free} of ${boards.total} free`);
  fill($("leases"), leases.items.length ? table(["lease", "state", "user", "kind", "boards", "begins", "until", ""], leases.items.map(leaseRow), "records") : nothing("Nobody has a board, nobody waits."));
  fill($("boards"), boards.items.length ? table(["board", "sentry", "type", "tags", "firmware", "state", "user", "until", ""], boards.items.map(boardRow), "records") : nothing("No board is plugged in."));
  fill($("results"), results.items.length ? table(["time", "board", "user", "batch", "evaluation", "result", "took"], results.items.map(result), "records") : nothing("No evaluation in the last day."));
  fill($("history"), history.items.length ? table(["time", "board", "what", "user", "lease", "data"], history.items.map(past), "records") : nothing("Nothing happened in the last day."));
}

if (one) for (const [id, what] of [["results-of", "Results"], ["history-of", "History"]]) {
  fill($(id), `${what} of ${one} `, el("a", { href: "/boards", class: "muted" }, "show all boards"));
}
const again = soon(300, () => live.refresh());
const live = listen({ board: again, "board-result": again, reported: ({ doc }) => doc === "leases" && again() }, read);
every(15_000, () => live.refresh());
