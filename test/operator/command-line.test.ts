import { describe, expect, it, vi } from "vitest";

import { runCommand, stageOf } from "../../operator/command-line.ts";

const heard = async (args: readonly string[]): Promise<{ code: number; out: string; error: string }> => {
  const [out, error]: [string[], string[]] = [[], []];
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation((text) => out.push(`${text}`) > 0),
    vi.spyOn(process.stderr, "write").mockImplementation((text) => error.push(`${text}`) > 0),
  ];
  const command = {
    usage: "npm run something -- --stage NAME",
    options: { stage: { type: "string" } },
    carryOut: async ({ stage }: { stage?: string }) => (stageOf(stage).name === "sandbox" ? 0 : 1),
  } as const;
  const code = await runCommand(command, args);
  for (const spy of spies) spy.mockRestore();
  return { code, out: out.join(""), error: error.join("") };
};

describe("a command of an operator", () => {
  it.each([
    { args: ["--stage", "sandbox"], code: 0, says: "" },
    { args: [], code: 2, says: "--stage is missing: name the preset or the .json file that was deployed" },
    { args: ["--stage", "sandbx"], code: 2, says: 'The stage "sandbx" is neither a preset (sandbox, production) nor a .json file' },
    { args: ["--stage", "nowhere.json"], code: 2, says: "The stage file nowhere.json cannot be read" },
    { args: ["--stag", "sandbox"], code: 2, says: "Unknown option '--stag'" },
    { args: ["--stage", "sandbox", "now"], code: 2, says: "Unexpected argument 'now'" },
  ])("answers $args with $code", async ({ args, code, says }) => {
    const answer = await heard(args);
    expect(answer.code).toBe(code);
    expect(answer.error).toContain(says);
    expect(answer.error === "" || answer.error.includes("npm run something -- --stage NAME")).toBe(true);
  });

  it("shows its usage when asked for help", async () => {
    expect(await heard(["--help"])).toEqual({ code: 0, out: "npm run something -- --stage NAME\n", error: "" });
  });
});
