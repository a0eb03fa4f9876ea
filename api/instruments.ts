import * as z from "zod";
import { createMarks } from "../adapters/dynamodb/marks.ts";
import { instrumentPath, instrumentTerms, versionReply } from "../adapters/wire/api.ts";
import { encodeInstrument, instrumentBody } from "../adapters/wire/instrument.ts";
import { refuse } from "./problem.ts";
import { defineRoute, deployment, none } from "./route.ts";
import { nextVersion } from "./versions.ts";

export const putInstrument = defineRoute({
  action: "putInstrument",
  summary: "Set the terms of an instrument",
  description:
    "Makes the next version; the same terms again make none. A tier table whose requirement would jump, fall, or leave no room between initial and maintenance margin is refused, naming table and bracket (M3, R24).",
  path: instrumentPath,
  query: none,
  body: instrumentTerms,
  reply: versionReply,
  status: 200,
  key: "none",
  resource: deployment,
  run: async ({ desk, path, body }) => {
    const { instrumentId } = path;
    const terms = z.encode(instrumentTerms, body);
    // Not the desk's, which may be 30 s old: "the same terms again" must mean those that hold now.
    const marks = createMarks(desk.world);
    const version = await nextVersion({
      newest: async () => (await marks.instruments()).get(instrumentId) ?? null,
      isSame: (newest, next) =>
        JSON.stringify(encodeInstrument({ ...newest, version: next.version })) === JSON.stringify(encodeInstrument(next)),
      make: (number) => {
        const made = instrumentBody.safeParse({ ...terms, instrumentId, version: number });
        if (!made.success) throw refuse(made.error, "body");
        return made.data;
      },
      store: (next) => marks.putInstrument(next),
    });
    return { id: instrumentId, version };
  },
});
