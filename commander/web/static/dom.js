// Building the page. Text from nodes is foreign input: it only ever goes through text nodes and setAttribute.

const SVG = "http://www.w3.org/2000/svg";

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

export function el(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

export const $ = (id) => document.getElementById(id);

export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child != null && child !== false));
}

/** Change a text only when it differs: 500 rows are updated every second. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const role = document.body.dataset.role;
export const isOperator = role === "operator" || role === "admin";

export function badge(word, kind = word) {
  return el("span", { class: `badge is-${kind}` }, word);
}

export function nothing(text) {
  return el("p", { class: "nothing" }, text);
}

export function nodeLink(id) {
  return el("a", { href: `/nodes/${encodeURIComponent(id)}`, class: "id" }, id);
}

/** A table from rows of cells; a cell is text or an element. */
export function table(heads, rows, kind = "") {
  const body = rows.map((cells) => el("tr", {}, cells.map((cell, i) => el("td", { "data-head": heads[i] }, cell))));
  return el("div", { class: "scroll" }, el("table", { class: kind },
    el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, body)));
}
