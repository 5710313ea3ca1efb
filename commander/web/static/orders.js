// Signed commands to a node: what becomes of them is looked up until they have ended.

import { get } from "./api.js";
import { badge, el, fill } from "./dom.js";

const UNDER_WAY = new Set(["sent", "accepted", "progress"]);
const LOOK_MS = 300;

/** The command's row once it has ended; `show` is given every look at it. */
export async function followed(row, show) {
  let now = row;
  for (;;) {
    show(now);
    if (!UNDER_WAY.has(now.status)) return now;
    await new Promise((done) => setTimeout(done, LOOK_MS));
    now = await get(`/commands/${encodeURIComponent(row.id)}`);
  }
}

/** Why it was not done, in the node's words; "" when it tells nothing. */
export const whyOf = ({ result, code }) => String((typeof result === "string" ? result : (result?.problem ?? result?.text)) ?? code ?? "");

/** Send by `ask`, which returns the command, and tell in `place` how it goes. Its row in the end, or null. */
export async function order(place, word, ask) {
  fill(place, badge(`${word}: sent`, "sent"));
  try {
    return await followed(await ask(), (row) => fill(place, badge(`${word}: ${row.status}`, row.status),
      row.status === "done" || !whyOf(row) ? null : el("span", { class: "muted" }, ` ${whyOf(row)}`)));
  } catch (error) {
    fill(place, el("span", { class: "problem" }, error.message));
    return null;
  }
}
