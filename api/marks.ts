import { marksReply } from "../adapters/wire/api.ts";
import { encodeMarks, type MarkTick, marksEnvelope, markTick } from "../adapters/wire/marks.ts";
import { Problem } from "./problem.ts";
import { defineRoute, deployment, none } from "./route.ts";

export const postMarks = defineRoute({
  action: "postMarks",
  summary: "Post prices",
  description:
    'Queued, then judged against the last accepted mark. A row that does not read (null, "", a JSON number) is refused here by its place, counted, and stops no other (S21). The same price at the same instant is a duplicate and changes nothing.',
  path: none,
  query: none,
  body: marksEnvelope,
  reply: marksReply,
  status: 202,
  key: "optional",
  resource: deployment,
  run: async ({ desk: { world }, body }) => {
    const ticks: MarkTick[] = [];
    const refused: { where: string; what: string }[] = [];
    for (const [index, row] of body.marks.entries()) {
      const tick = markTick.safeParse(row);
      if (tick.success) ticks.push(tick.data);
      else
        refused.push(
          ...tick.error.issues.map((issue) => ({ where: ["body/marks", index, ...issue.path.map(String)].join("/"), what: issue.message })),
        );
    }
    if (refused.length > 0) world.log.count("marks_refused", body.marks.length - ticks.length);
    if (ticks.length === 0) {
      const mend = "Send prices as decimal strings and instants as ISO 8601 in UTC; GET /openapi.json holds the schema.";
      throw new Problem("invalid-request", { detail: "none of the marks reads", mend, faults: refused.slice(0, 20) });
    }
    await world.queues.send(world.settings.marksQueueUrl, [{ body: encodeMarks(ticks) }]);
    return { accepted: ticks.length, refused };
  },
});
