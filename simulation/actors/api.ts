import type { ApiReply } from "../../api/route.ts";
import type { SimulatedCloud } from "../cloud/cloud.ts";
import type { VirtualTime } from "../time/virtual-time.ts";

/** A signed request to the API. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly role?: "operator" | "feed";
  readonly key?: string;
  readonly body?: object;
}

/** Where requests are made. */
export interface Site {
  readonly time: VirtualTime;
  readonly cloud: SimulatedCloud;
}

/** The event of API Gateway for a request (payload format 2.0). */
const eventOf = ({ method, path, query, role = "operator", key, body }: ApiRequest, requestId: string): object => ({
  version: "2.0",
  rawPath: path,
  rawQueryString: new URLSearchParams(query).toString(),
  ...(query !== undefined && { queryStringParameters: query }),
  headers: { "content-type": "application/json", ...(key !== undefined && { "idempotency-key": key }) },
  requestContext: {
    http: { method, path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "" },
    requestId,
    authorizer: { iam: { userArn: `arn:aws:iam::000000000000:role/plimsoll-${role}` } },
  },
  ...(body !== undefined && { body: JSON.stringify(body) }),
  isBase64Encoded: false,
});

/** How a client tries again after a failure, with the same key. */
export interface Patience {
  readonly againMs: number;
  readonly triesMax: number;
}

/** Asks until it is answered, or patience ends; a failure of the API's own is no answer. */
export const askUntilAnswered = (
  site: Site,
  request: ApiRequest,
  { againMs, triesMax }: Patience,
  heard: (reply: ApiReply) => void,
): void => {
  const { time, cloud } = site;
  cloud.lambda.invoke(cloud.functionName("operate"), eventOf(request, request.key ?? `step-${time.steps()}`), (outcome) => {
    const reply = outcome.ok ? (outcome.result as ApiReply) : null;
    if (reply !== null && reply.statusCode < 500) heard(reply);
    else if (triesMax > 1) {
      time.at(time.now() + againMs, () => askUntilAnswered(site, request, { againMs, triesMax: triesMax - 1 }, heard));
    }
  });
};
