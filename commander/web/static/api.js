// The commander's HTTP API. Whoever is logged out is sent to the log-in page.

/** `field`, `problem`: what the commander found wrong. */
export class ApiError extends Error {
  constructor(message, field = "", problem = message) {
    super(message);
    Object.assign(this, { field, problem });
  }
}

export function toLogin() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

async function ask(method, path, body) {
  const wish = { method, headers: {}, cache: "no-store" };
  if (body !== undefined) {
    wish.headers["Content-Type"] = "application/json";
    wish.body = JSON.stringify(body);
  }
  const answer = await fetch(path, wish);
  if (answer.status === 401) {
    toLogin();
    throw new ApiError("logged out");
  }
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const { field, problem } = data.error ?? { field: "commander", problem: `answered ${answer.status}` };
    throw new ApiError(`${field}: ${problem}`, field, problem);
  }
  return data;
}

const query = (values) => {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
};

export const get = (path, values = {}) => ask("GET", `/api/v1${path}${query(values)}`);
export const post = (path, body) => ask("POST", `/api/v1${path}`, body);
export const put = (path, body) => ask("PUT", `/api/v1${path}`, body);
export const remove = (path) => ask("DELETE", `/api/v1${path}`);

/** All items of a list that pages by offset. */
export async function all(path, values = {}) {
  const items = [];
  for (let offset = 0; offset !== null; ) {
    const page = await get(path, { ...values, limit: 1000, offset });
    items.push(...page.items);
    offset = page.next;
  }
  return items;
}
