// Where the marks of an axis stand. Pure.

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [1, 2, 5, 10, 15, 30].map((n) => n * SECOND)
  .concat([1, 2, 5, 10, 15, 30].map((n) => n * MINUTE), [1, 2, 3, 6, 12].map((n) => n * HOUR), [1, 2, 7, 14, 30].map((n) => n * DAY));
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** [{at, text}]: round local times from `begin` to `end` (ms), at most `most` of them. */
export function timeTicks(begin, end, most) {
  const step = STEPS.find((each) => (end - begin) / each <= most) ?? STEPS.at(-1);
  const shift = new Date(begin).getTimezoneOffset() * MINUTE;
  const ticks = [];
  for (let at = Math.ceil((begin - shift) / step) * step + shift; at <= end; at += step) ticks.push({ at, text: timeText(at, step) });
  return ticks;
}

function timeText(ms, step) {
  const at = new Date(ms);
  const two = (value) => String(value).padStart(2, "0");
  if (step >= DAY || (step >= 6 * HOUR && at.getHours() === 0)) return `${WEEKDAYS[at.getDay()]} ${at.getDate()}`;
  return `${two(at.getHours())}:${two(at.getMinutes())}` + (step < MINUTE ? `:${two(at.getSeconds())}` : "");
}

/** {low, high, step, values}: a range of round numbers around low..high with about `count` marks. */
export function valueTicks(low, high, count) {
  if (high - low < Math.abs(high) * 1e-6 + 1e-12) {
    const around = Math.abs(high) * 0.1 || 1;
    [low, high] = [low - around, high + around];
  }
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((each) => each >= raw * 0.999);
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  const values = [];
  for (let n = first; n <= last; n += 1) values.push(n * step);
  return { low: first * step, high: last * step, step, values };
}

/** How many decimals the marks of such a step need. */
export function decimalsOf(step) {
  for (let decimals = 0; decimals < 9; decimals += 1) {
    if (Math.abs(Math.round(step * 10 ** decimals) - step * 10 ** decimals) < 1e-6) return decimals;
  }
  return 9;
}
