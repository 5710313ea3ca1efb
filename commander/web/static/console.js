// The console of a board: what it said, what it was sent, what happened to it. Live while it is open; a replay shows
// the lines in the pace in which they came, and then goes on live.

import { get } from "./api.js";
import { $, el, fill, nothing, setText } from "./dom.js";
import { stamp } from "./format.js";

const LOOK_MS = 1_000;
const AGAIN_MS = 5_000;
const MOST_LINES = 2_000;
const LONGEST_PAUSE_MS = 3_000;
const MARKS = { board: "", sentry: "sent", note: "note" };

/** How long a replay waits before a line, in ms. */
export const pauseBefore = (line, before, speed) => Math.min(LONGEST_PAUSE_MS, Math.max(0, line.ts - (before?.ts ?? line.ts)) / speed);

const row = ({ ts, from, text }) => el("div", { class: `line is-${from}` },
  el("time", {}, `${stamp(ts)}.${String(ts % 1000).padStart(3, "0")}`), el("span", { class: "level" }, MARKS[from]), el("span", { class: "text" }, text));

class Console {
  constructor(serial) {
    Object.assign(this, { serial, lines: [], after: 0, next: 0, playing: false });
    fill($("console-lines"), nothing("Nothing was said yet."));
    this.look();
  }

  close() {
    this.closed = true;
    this.playing = false;
  }

  /** Ask for what is new, now and again. */
  async look() {
    let pause = LOOK_MS;
    try {
      if (!document.hidden) {
        const { lines, more } = await get(`/boards/${encodeURIComponent(this.serial)}/console`, { after: this.after });
        if (this.closed) return;
        this.take(lines);
        if (more) pause = 0;
        setText($("console-problem"), "");
      }
    } catch (error) {
      if (this.closed) return;
      setText($("console-problem"), error.message);
      pause = AGAIN_MS;
    }
    setTimeout(() => this.closed || this.look(), pause);
  }

  take(lines) {
    if (!lines.length) return;
    if (!this.lines.length) fill($("console-lines"));
    this.after = lines.at(-1).n;
    this.lines.push(...lines);
    const gone = this.lines.splice(0, this.lines.length - MOST_LINES).length;
    this.next = Math.max(0, this.next - gone);
    if (!this.playing) this.show(lines);
  }

  show(lines) {
    const place = $("console-lines");
    const atEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 24;
    place.append(...lines.map(row));
    while (place.children.length > MOST_LINES) place.firstChild.remove();
    if (atEnd) place.scrollTop = place.scrollHeight;
  }

  replay() {
    clearTimeout(this.stepping);
    this.play(!this.playing);
    fill($("console-lines"));
    this.next = 0;
    if (this.playing) this.step();
    else this.show(this.lines);
  }

  play(yes) {
    this.playing = yes;
    setText($("console-replay"), yes ? "Stop the replay" : "Replay");
  }

  step() {
    if (!this.playing) return;
    const line = this.lines[this.next++];
    if (line) this.show([line]);
    const then = this.lines[this.next];
    if (then) this.stepping = setTimeout(() => this.step(), pauseBefore(then, line, Number($("console-speed").value)));
    else this.play(false);
  }
}

let open = null;

function close() {
  open?.close();
  open = null;
  $("console").hidden = true;
}

/** Show the console of that board. */
export function openConsole(serial) {
  close();
  setText($("console-of"), `Console of ${serial}`);
  setText($("console-problem"), "");
  $("console").hidden = false;
  open = new Console(serial);
  open.play(false);
  $("console").scrollIntoView({ block: "nearest" });
}

$("console-replay")?.addEventListener("click", () => open?.replay());
$("console-close")?.addEventListener("click", close);
