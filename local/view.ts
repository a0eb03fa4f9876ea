import { decimal, type Price } from "../core/money.ts";
import type { Tally } from "./tally.ts";

/** What the view shows at one moment. */
export interface Moment {
  readonly now: number;
  /** Played share of the path, 0 to 1. */
  readonly share: number;
  /** Newest prices of the path, by symbol. */
  readonly prices: ReadonlyMap<string, Price>;
  readonly tally: Tally;
  readonly emails: number;
  readonly webhooks: number;
  readonly pageUrl: string;
}

/** Where a view draws: a terminal, or a file that only gets lines. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface View {
  /** Prints a line that stays. */
  say(line: string): void;
  /** Shows a moment; a terminal is redrawn in place, anything else gets a line now and then. */
  show(moment: Moment): void;
  /** Leaves the last moment standing. */
  end(): void;
}

const BAR_WIDTH = 30;
/** A terminal is redrawn at most this often. */
const REDRAW_MS = 100;
/** Anything but a terminal gets a line each time this much more of the path was played. */
const LINE_SHARE = 0.05;
const PRICES_SHOWN = 6;

const clock = (instant: number): string => `${new Date(instant).toISOString().slice(0, 16).replace("T", " ")}Z`;

const bar = (share: number): string => {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * BAR_WIDTH);
  return `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}] ${Math.floor(share * 100)} %`;
};

const pricesOf = (prices: ReadonlyMap<string, Price>): string =>
  [...prices]
    .slice(0, PRICES_SHOWN)
    .map(([symbol, value]) => `${symbol} ${decimal(value)}`)
    .join("   ");

const callsOf = (tally: Tally): string => {
  const { opened, open, met, expired, closedOut, closedFlat } = tally.calls();
  return `${opened} opened, ${open} live, ${met} met, ${expired} expired, ${closedOut} closed out, ${closedFlat} closed flat`;
};

/** The lines of a moment, none longer than `width`. */
export const frameOf = (moment: Moment, width: number): string[] => {
  const { tally } = moment;
  const levels = [...tally.levels()].map(([level, accounts]) => `${level.toLowerCase().replace("_", " ")} ${accounts}`).join("  ");
  return [
    `${clock(moment.now)}  ${bar(moment.share)}`,
    `prices    ${pricesOf(moment.prices)}`,
    `accounts  ${levels}`,
    `calls     ${callsOf(tally)}`,
    `notices   ${moment.emails} emails, ${moment.webhooks} webhooks`,
    `orders    ${tally.ordersSent} sent, ${tally.fills} fills, ${tally.liquidations} liquidations completed`,
    `page      ${moment.pageUrl}`,
  ].map((line) => line.slice(0, width));
};

/** The one line that a moment is for whoever is no terminal. */
export const lineOf = (moment: Moment): string =>
  `${clock(moment.now)}  ${String(Math.floor(moment.share * 100)).padStart(3)} %  ${pricesOf(moment.prices)}  calls ${callsOf(moment.tally)}  ` +
  `notices ${moment.emails + moment.webhooks}  orders ${moment.tally.ordersSent}  fills ${moment.tally.fills}`;

const UP = (lines: number): string => (lines === 0 ? "" : `\u001b[${lines}A`);
const CLEAR_BELOW = "\u001b[J";

const createTerminalView = (screen: Screen, wallClock: () => number): View => {
  let drawn = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let last: Moment | null = null;
  const draw = (moment: Moment): void => {
    const frame = frameOf(moment, (screen.columns ?? 100) - 1);
    screen.write(`${UP(drawn)}\r${CLEAR_BELOW}${frame.join("\n")}\n`);
    drawn = frame.length;
    drawnAt = wallClock();
  };
  return {
    say: (line) => {
      screen.write(`${UP(drawn)}\r${CLEAR_BELOW}${line}\n`);
      drawn = 0;
      if (last !== null) draw(last);
    },
    show: (moment) => {
      last = moment;
      if (wallClock() - drawnAt >= REDRAW_MS) draw(moment);
    },
    end: () => {
      if (last !== null) draw(last);
      last = null;
      drawn = 0;
    },
  };
};

const createLineView = (screen: Screen): View => {
  let next = 0;
  let last: Moment | null = null;
  return {
    say: (line) => {
      screen.write(`${line}\n`);
    },
    show: (moment) => {
      last = moment;
      if (moment.share < next) return;
      next = moment.share + LINE_SHARE;
      screen.write(`${lineOf(moment)}\n`);
    },
    end: () => {
      if (last !== null) screen.write(`${lineOf(last)}\n`);
      last = null;
    },
  };
};

/** A view that shows nothing: `--json` prints one object and nothing else. */
const SILENT: View = { say: () => undefined, show: () => undefined, end: () => undefined };

/** The view for a screen; `silent` shows nothing at all. */
export const createView = (screen: Screen, silent: boolean, wallClock: () => number = Date.now): View => {
  if (silent) return SILENT;
  return screen.isTTY === true ? createTerminalView(screen, wallClock) : createLineView(screen);
};
