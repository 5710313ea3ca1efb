// Maintenance of a host, while people are at work there: the switch, and the mark that it is on.

import { $, setText } from "./dom.js";
import { commandTo } from "./miner_orders.js";
import { order } from "./orders.js";

/** Shows what the host has reported. */
export function showMaintenance(on) {
  $("maintenance-on").hidden = !on;
  $("maintenance")?.setAttribute("aria-checked", String(on));
}

export function maintenanceSwitch(node) {
  const knob = $("maintenance");
  knob?.addEventListener("click", async () => {
    const word = knob.getAttribute("aria-checked") === "true" ? "off" : "on";
    knob.disabled = true;
    const row = await order($("maintenance-told"), `maintenance ${word}`, () => commandTo(node, "miner", { do: `maintenance-${word}` }));
    if (row?.status === "done") {
      showMaintenance(word === "on");
      setText($("maintenance-told"), "");
    }
    knob.disabled = false;
  });
}
