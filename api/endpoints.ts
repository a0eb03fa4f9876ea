import { createOutbound } from "../adapters/dynamodb/outbound.ts";
import { refuseUrl } from "../adapters/webhook/addresses.ts";
import { endpointPath } from "../adapters/wire/api.ts";
import { endpoint, endpointBody, endpointCreated } from "../adapters/wire/parties.ts";
import { Problem } from "./problem.ts";
import { defineRoute, none } from "./route.ts";

/** The secret is there when the endpoint was made, and never again. */
const endpointReply = endpoint.extend({ secret: endpointCreated.shape.secret.nullable() });

export const putEndpoint = defineRoute({
  action: "putEndpoint",
  summary: "Set a webhook endpoint of a broker",
  description:
    "Makes the endpoint, or changes its address, types or whether it is enabled. The reply that makes it holds its secret, the only time that it is shown; later replies hold null. The address is judged here and again at each request (N3).",
  path: endpointPath,
  query: none,
  body: endpointBody,
  reply: endpointReply,
  status: 200,
  key: "none",
  resource: ({ path }) => ({ kind: "broker", brokerId: path.brokerId }),
  run: async ({ desk: { world }, path, body }) => {
    const refusal = refuseUrl(body.url, world.settings.webhookLoopback);
    if (refusal !== null) {
      throw new Problem("invalid-request", {
        detail: "webhooks may not go to this address",
        mend: "Name a public https host on port 443 or 8443, without credentials and not by its address.",
        faults: [{ where: "body/url", what: refusal }],
      });
    }
    const made = await createOutbound(world).putEndpoint(path.brokerId, path.endpointId, body);
    return { ...made.endpoint, secret: made.secret === null ? null : made.secret.reveal() };
  },
});
