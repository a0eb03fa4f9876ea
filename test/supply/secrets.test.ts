import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

import { lintSource } from "@secretlint/core";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import { describe, expect, it } from "vitest";

/** Addresses with made-up credentials, which the product must refuse. */
const PLANTED = [
  "test/adapters/webhook/addresses.test.ts: found basic auth credential: ***",
  "test/api/inbound.test.ts: found basic auth credential: ***",
];

const root = fileURLToPath(new URL("../..", import.meta.url));
const config = { rules: [{ id: "@secretlint/secretlint-rule-preset-recommend", rule: creator, options: {} }] };

const secretsIn = async (filePath: string, content: string): Promise<string[]> => {
  const { messages } = await lintSource({
    source: { filePath, content, ext: extname(filePath), contentType: "text" },
    options: { config, maskSecrets: true },
  });
  return messages.map(({ message }) => `${filePath}: ${message.replace(/\*+/g, "***")}`);
};

describe("the repository", () => {
  it("holds no secret", async () => {
    const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })
      .split("\0")
      .filter((path) => path !== "" && path !== "package-lock.json");
    const found: string[] = [];
    for (const path of files) found.push(...(await secretsIn(path, readFileSync(`${root}/${path}`, "utf8"))));
    expect(files.length).toBeGreaterThan(300);
    expect(found.sort()).toEqual(PLANTED);
  });

  it.each([
    { kind: "a key of AWS", content: `aws_secret_access_key = ${"wJalrXUtnFEMI/K7MDENG/".concat("bPxRfiCYqwertyKEYz")}` },
    {
      kind: "a private key",
      content: `-----BEGIN RSA ${"PRIVATE"} KEY-----\n${"MIIEpAIBAAKCAQEA".repeat(8)}\n-----END RSA ${"PRIVATE"} KEY-----`,
    },
    { kind: "a token of npm", content: `//registry.example/:_authToken=npm${"_"}${"a1B2c3".repeat(6)}` },
  ])("would be told of $kind", async ({ content }) => {
    expect(await secretsIn("planted.txt", content)).not.toEqual([]);
  });
});
