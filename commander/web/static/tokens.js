// Enrolment tokens: make one (shown once, with what to do with it), see what became of them, revoke.

import { all, post, remove } from "./api.js";
import { $, badge, el, fill, nodeLink, nothing, setText, table } from "./dom.js";
import { ago, stamp } from "./format.js";
import { every, listen } from "./live.js";

async function read() {
  const tokens = await all("/tokens");
  const rows = tokens.map((token) => [badge(token.state), el("code", {}, token.id), token.domain, token.kind,
    token.node ? nodeLink(token.node) : token.name || "–", stamp(token.created),
    token.used ? `used ${ago(token.used)}` : `expires ${ago(token.expires)}`.replace("expires in", "in"), token.by,
    token.state === "open" ? el("button", { type: "button", class: "quiet", onclick: () => revoke(token.id) }, "Revoke") : ""]);
  fill($("tokens"), rows.length ? table(["state", "token", "domain", "kind", "node", "made", "used or expires", "by", ""], rows, "records") : nothing("No tokens."));
}

async function revoke(id) {
  await remove(`/tokens/${encodeURIComponent(id)}`).catch((error) => setText($("problem"), error.message));
  await read();
}

function how({ token, broker, kind }) {
  if (kind !== "esp") {
    const choice = kind === "cpu-gpu" ? "" : ` --kind ${kind}`;
    return ["On the new host, run:", `farmhand sentry enrol ${broker} ${token}${choice}`];
  }
  const { hostname, port } = new URL(broker.replace("mqtt", "http"));
  return ["In the board's config.json, write:", JSON.stringify({ token, brokers: [[hostname, Number(port)]] }, null, 1)];
}

function showMade(made) {
  const [text, command] = how(made);
  const code = el("pre", { id: "made-command" }, command);
  const copy = el("button", { type: "button", onclick: async () => {
    await navigator.clipboard.writeText(command);
    setText(copy, "Copied");
  } }, "Copy");
  fill($("made"), el("p", {}, el("b", {}, "This token is shown once. "), text), code,
    el("p", { class: "actions" }, navigator.clipboard ? copy : null, el("small", {}, `For ${made.kind} in ${made.domain}; works once, until ${stamp(made.expires)}.`)));
  $("made").hidden = false;
}

$("new-token").addEventListener("submit", async (event) => {
  event.preventDefault();
  setText($("problem"), "");
  const form = new FormData(event.target);
  try {
    showMade(await post("/tokens", { domain: form.get("domain"), kind: form.get("kind"), name: form.get("name").trim(),
      ttl_s: Number(form.get("ttl_s")) }));
    await read();
  } catch (error) {
    setText($("problem"), error.message);
  }
});
const live = listen({}, read);
every(5_000, live.refresh);
