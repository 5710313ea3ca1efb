// What the commander found wrong in a form: beside the field that it names, or at the form's end.

import { setText } from "./dom.js";

/** `field` may lead to it, as in `asics[0].host`. Without a problem, whatever was said is taken back. */
export function tellWrong(form, field = "", problem = "") {
  for (const each of form.querySelectorAll("[data-problem]")) setText(each, "");
  if (!problem) return;
  const places = field.split(/[.[\]]+/).map((name) => form.querySelector(`[data-problem="${CSS.escape(name)}"]`));
  const place = places.find(Boolean) ?? form.querySelector('[data-problem=""]');
  setText(place, !field || place.dataset.problem === field ? problem : `${field}: ${problem}`);
}

/** Whether `work` could be done; else the form says why not. */
export async function attempted(form, work) {
  tellWrong(form);
  try {
    await work();
    return true;
  } catch (error) {
    tellWrong(form, error.field, error.problem ?? error.message);
    return false;
  }
}
