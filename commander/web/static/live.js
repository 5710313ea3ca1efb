// Live changes, and the sign that tells whether what is shown is still true.

import { get, toLogin } from "./api.js";
import { $, setText } from "./dom.js";
import { clock } from "./format.js";

const RETRY_MS = 2_000;
let lostAt = 0;

export function connected(yes) {
  if (yes === !lostAt && $("connection").dataset.state) return;
  lostAt = yes ? 0 : Date.now();
  $("connection").dataset.state = yes ? "live" : "lost";
  setText($("connection-text"), yes ? "live" : "connection lost");
  $("lost").hidden = yes;
  if (!yes) setText($("lost-text"), `Connection lost at ${clock(lostAt)}. Figures below are from before; trying again.`);
}

/**
 * Listen to server-sent events for as long as the page lives.
 * handlers: kind -> function(data). resync(missed): fetches the present state; `missed` after each (re)connection and when
 * lines were lost, so that what was gathered from lines must be fetched too.
 */
export function listen(handlers, resync, node = "") {
  const path = node ? `/api/v1/live?node=${encodeURIComponent(node)}` : "/api/v1/live";
  let source;
  const fetchAgain = (missed) => Promise.all([resync(missed), countAlerts()])
    .then(() => connected(source.readyState === EventSource.OPEN), () => connected(false));
  const open = () => {
    source = new EventSource(path);
    source.onopen = () => fetchAgain(true);
    source.onerror = () => {
      connected(false);
      // A refusal ends an EventSource for good; a broken connection it mends by itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(again, RETRY_MS);
    };
    source.addEventListener("lost", () => fetchAgain(true));
    for (const kind of ["alert", "alert-cleared"]) source.addEventListener(kind, recount);
    for (const [kind, handle] of Object.entries(handlers)) {
      source.addEventListener(kind, (event) => handle(JSON.parse(event.data)));
    }
  };
  const again = async () => {
    const session = await fetch("/session").then((answer) => answer.json()).catch(() => null);
    if (session?.role === "") toLogin();
    else open();
  };
  addEventListener("pagehide", () => source.close());
  open();
  return { refresh: () => fetchAgain(false) };
}

async function countAlerts() {
  const { total } = await get("/alerts", { limit: 1 });
  setText($("alert-count"), total ? String(total) : "");
}

const recount = soon(500, () => countAlerts().catch(() => {}));

/** Call `work` now and then, but not in a page that nobody sees. */
export function every(ms, work) {
  setInterval(() => document.hidden || work(), ms);
}

/** A function that calls `work` once in the next `ms`, however often it is called until then. */
export function soon(ms, work) {
  let waiting = 0;
  return () => {
    waiting ||= setTimeout(() => {
      waiting = 0;
      work();
    }, ms);
  };
}
