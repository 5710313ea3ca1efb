// Adds one ASIC by its address; its sentry looks at it first.

import { post } from "./api.js";
import { $, el, fill } from "./dom.js";
import { attempted } from "./problems.js";

/** Its path on the pages. */
export const asicLink = (node, name) => el("a", { class: "id", href: `/asics/${encodeURIComponent(node)}/asic-${encodeURIComponent(name)}` }, name);

export function addForm(added) {
  const form = $("add-form");
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { node, name, type, host, port, control } = Object.fromEntries(new FormData(form));
    const asic = { name: name.trim(), type, host: host.trim(), ...(port ? { port: Number(port) } : {}), ...(control ? { control: true } : {}) };
    const button = form.querySelector("button.primary");
    button.disabled = true;
    fill($("add-told"), `${node} looks at ${asic.host} …`);
    let found;
    const done = await attempted(form, async () => {
      ({ found } = await post(`/nodes/${encodeURIComponent(node)}/asics`, { asics: [asic] }));
    });
    button.disabled = false;
    fill($("add-told"), done ? ["Added ", asicLink(node, asic.name), `: ${[found[0]?.type, found[0]?.model].filter(Boolean).join(", ")}. Its figures come in a moment.`] : null);
    if (!done) return;
    for (const field of ["name", "host", "port"]) form.elements.namedItem(field).value = "";
    added();
  });
}
