import { describe, expect, it, vi } from "vitest";

import { runCommand, stageOf } from "../../operator/command-line.ts";

const heard = async (args: readonly string[], fault: Error | null = null): Promise<{ code: number; out: string; error: string }> => {
  const [out, error]: [string[], string[]] = [[], []];
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation((text) => out.push(`${text}`) > 0),
    vi.spyOn(process.stderr, "write").mockImplementation((text) => error.push(`${text}`) > 0),
  ];
  const command = {
    usage: "npm run something -- --stage NAME",
    options: { stage: { type: "string" }, file: { type: "string", multiple: true } },
    carryOut: async ({ stage, file }: { stage?: string; file?: string[] }) => {
      if (fault !== null) throw fault;
      if (file !== undefined) process.stdout.write(file.join(" "));
      return stageOf(stage).name === "sandbox" ? 0 : 1;
    },
  } as const;
  const code = await runCommand(command, args).finally(() => {
    for (const spy of spies) spy.mockRestore();
  });
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

  it.each([
    ["no credentials", Object.assign(new Error("Could not load credentials"), { name: "CredentialsProviderError" })],
    ["a right that is missing", Object.assign(new Error("not authorized"), { name: "AccessDeniedException", $metadata: { attempts: 1 } })],
  ])("says %s in words, without a stack", async (_, fault) => {
    const answer = await heard(["--stage", "sandbox"], fault);
    expect(answer.code).toBe(2);
    expect(answer.error).toBe(
      `AWS did not do it: ${fault.name}: ${fault.message}\nCheck AWS_PROFILE, its rights, its Region and the network.\n`,
    );
  });

  it.each([
    [["--file", "a.csv", "b.csv", "--stage", "sandbox"], "a.csv b.csv"],
    [["--file", "a.csv", "--stage", "sandbox", "--file", "b.csv", "c.csv"], "a.csv b.csv c.csv"],
    [["--file=a.csv", "--file", "b.csv", "--stage", "sandbox"], "a.csv b.csv"],
  ])("an option that may be repeated takes all its values: %j", async (args, out) => {
    expect(await heard(args)).toEqual({ code: 0, out, error: "" });
  });

  it("a value behind another option is no value of the one before", async () => {
    expect(await heard(["--file", "a.csv", "--stage", "sandbox", "b.csv"])).toMatchObject({ code: 2 });
  });

  it("throws a fault of its own on", async () => {
    await expect(heard(["--stage", "sandbox"], new TypeError("a bug"))).rejects.toThrow("a bug");
  });

  it("shows its usage when asked for help", async () => {
    expect(await heard(["--help"])).toEqual({ code: 0, out: "npm run something -- --stage NAME\n", error: "" });
  });
});
