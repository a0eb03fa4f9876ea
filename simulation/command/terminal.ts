import { stderr, stdout } from "node:process";

const BAR = 30;
const EVERY_NS = 200_000_000n;

/** Writes a line of the answer. */
export const say = (line: string): void => void stdout.write(`${line}\n`);

/** A bar on the terminal while a long run goes on; nothing where nobody watches. */
export const progressBar = (whole: number, what: string): { at(done: number, note: string): void; end(): void } => {
  let last = 0n;
  const startedAt = process.hrtime.bigint();
  return {
    at: (done, note) => {
      const now = process.hrtime.bigint();
      if (!stderr.isTTY || (now - last < EVERY_NS && done < whole)) return;
      last = now;
      const filled = Math.floor((BAR * done) / whole);
      const seconds = Number((now - startedAt) / 1_000_000_000n);
      const left = done === 0 ? "" : `, ${Math.round((seconds * (whole - done)) / done)} s left`;
      stderr.write(
        `\r[${"#".repeat(filled)}${" ".repeat(BAR - filled)}] ${done} of ${whole} ${what}${left}${note === "" ? "" : `, ${note}`}\u001b[K`,
      );
    },
    end: () => {
      if (stderr.isTTY) stderr.write("\r\u001b[K");
    },
  };
};
