import { readFileSync } from "node:fs";

import { Refusal } from "../command-line.ts";
import type { Findings } from "./finding.ts";

/** Largest file that is read: a book of a million accounts has less. */
const BYTES_MAX = 512 * 1024 * 1024;

/** The content of a file that an option names. @throws Refusal where it cannot be read, naming both. */
export const bytesOf = (option: string, file: string): Uint8Array => {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > BYTES_MAX) throw new Refusal(`${file}: is larger than ${BYTES_MAX} bytes; split it`);
    return bytes;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(
      `${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? "unreadable"}); give ${option} the path of a file`,
    );
  }
};

/** The line of the first byte that is no UTF-8. */
const lineOfBadByte = (bytes: Uint8Array): number => {
  const lines = Buffer.from(bytes).toString("latin1").split("\n");
  const isBad = (line: string): boolean => {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(line, "latin1"));
      return false;
    } catch {
      return true;
    }
  };
  return lines.findIndex(isBad) + 1;
};

/**
 * The text of a file: UTF-8, with LF line ends. A byte order mark and CRLF are what spreadsheets write: noted and read.
 * @returns null where there is nothing to read on, with a finding that says why.
 */
export const textOf = (file: string, bytes: Uint8Array, findings: Findings): string | null => {
  const whole = { file, line: 0, column: "" };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const line = lineOfBadByte(bytes);
    findings.fault({ file, line, column: "" }, "a byte that is not UTF-8", "Save the file as UTF-8");
    return null;
  }
  if (text.startsWith("\uFEFF")) {
    findings.note(
      { ...whole, line: 1 },
      "starts with a byte order mark",
      "It was left out; save as UTF-8 without BOM to be rid of this note",
    );
    text = text.slice(1);
  }
  const first = text.indexOf("\r");
  if (first >= 0) {
    const line = text.slice(0, first).split("\n").length;
    findings.note({ ...whole, line }, "a line ends with CRLF", "Read as LF; save with LF line ends to be rid of this note");
    text = text.replace(/\r\n?/g, "\n");
  }
  if (text.trim() === "") {
    findings.fault(whole, "the file is empty", "Give a file with a header and rows, or leave the option out");
    return null;
  }
  return text;
};
