const WIDTH = 30;

/** What a long run tells while it lasts. */
export interface Progress {
  /** One unit of work is done. */
  readonly step: () => void;
  /** Takes the bar away. */
  readonly end: () => void;
}

/** A bar on standard error, only where that is a terminal; drawn again when a whole per cent is done. */
export const progressOf = (label: string, total: number, terminal: NodeJS.WriteStream = process.stderr): Progress => {
  if (!terminal.isTTY) return { step: () => {}, end: () => {} };
  let done = 0;
  let shown = -1;
  return {
    step: () => {
      done += 1;
      const percent = Math.min(100, Math.floor((done * 100) / total));
      if (percent === shown) return;
      shown = percent;
      const full = Math.round((percent * WIDTH) / 100);
      terminal.write(`\r${label} [${"#".repeat(full)}${".".repeat(WIDTH - full)}] ${percent} %`);
    },
    end: () => void terminal.write("\r\u001b[2K"),
  };
};
