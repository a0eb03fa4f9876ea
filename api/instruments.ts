import * as z from "zod";
import { createMarks } from "../adapters/dynamodb/marks.ts";
import { instrumentPath, instrumentTerms, versionReply } from "../adapters/wire/api.ts";
import { encodeInstrument, instrumentBody } from "../adapters/wire/instrument.ts";
import type { World } from "../adapters/world.ts";
import type { Instrument } from "../core/instrument.ts";
import { refuse } from "./problem.ts";
import { defineRoute, deployment, none } from "./route.ts";
import { nextVersion } from "./versions.ts";

/** True where two instruments differ in nothing but their version. */
export const isSameInstrument = (one: Instrument, other: Instrument): boolean =>
  JSON.stringify(encodeInstrument({ ...one, version: other.version })) === JSON.stringify(encodeInstrument(other));

/** Stores the terms of an instrument as its next version; the same terms again make none. @returns the version that holds them. */
export const storeInstrument = (world: World, instrumentId: string, make: (version: number) => Instrument): Promise<number> => {
  // Not a desk's, which may be 30 s old: "the same terms again" must mean those that hold now.
  const marks = createMarks(world);
  return nextVersion({
    newest: async () => (await marks.instruments()).get(instrumentId) ?? null,
    isSame: isSameInstrument,
    make,
    store: (next) => marks.putInstrument(next),
  });
};

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
    const version = await storeInstrument(desk.world, instrumentId, (number) => {
      const made = instrumentBody.safeParse({ ...terms, instrumentId, version: number });
      if (!made.success) throw refuse(made.error, "body");
      return made.data;
    });
    return { id: instrumentId, version };
  },
});
