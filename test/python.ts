import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the lists of packages are made for. */
const SUPPORTED = "import sys; sys.exit(0 if sys.version_info >= (3, 10) else 1)";

/** The host's Python 3.10 or later; null where there is none. */
export const findPython = (): string | null =>
  ["python3", "python"].find((command) => spawnSync(command, ["-c", SUPPORTED], { stdio: "ignore" }).status === 0) ?? null;

/**
 * Makes a virtual environment in `folder` with exactly what the file `requirements` names, each package checked against
 * its hash. One that is there and was made from the same requirements is kept.
 *
 * @returns the environment's own Python. @throws Error with what pip said.
 */
export const preparePython = (python: string, folder: string, requirements: string): string => {
  const own = process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
  const stamp = join(folder, "requirements.sha256");
  const wanted = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  if (existsSync(own) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return own;
  rmSync(folder, { recursive: true, force: true });
  execFileSync(python, ["-m", "venv", folder], { stdio: "pipe" });
  execFileSync(own, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", requirements], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  writeFileSync(stamp, wanted);
  return own;
};
