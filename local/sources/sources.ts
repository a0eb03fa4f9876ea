import type { Lambda } from "../engines/lambda.ts";
import type { Messages } from "../engines/messages.ts";
import { createStreamReader, type StreamReader } from "../engines/stream-reader.ts";
import type { Mapping, Wiring } from "../template/wiring.ts";
import type { Meter } from "../watch/meter.ts";
import { createQueueSource } from "./queue.ts";
import { inTurn, type Source, sideBySide } from "./source.ts";
import { createStreamSource } from "./stream.ts";

export interface SourcesOptions {
  readonly wiring: Wiring;
  readonly messages: Messages;
  readonly lambda: Lambda;
  /** Stream ARNs by the name of the table. */
  readonly streams: ReadonlyMap<string, string>;
  /** Where the tables are. */
  readonly endpoint: string;
  /** UTC epoch milliseconds. */
  readonly now: () => number;
  /** Whether time is stepped. */
  readonly stepped: boolean;
  readonly meter: Meter;
  /** Events for functions that no mapping brings: the last to decide. */
  readonly asynchronous: Source;
}

export interface Sources {
  /**
   * Switches the event source mappings of a function on or off, as Lambda's own API does: what they do not hand
   * over waits. In stepped time only. @throws Error for a function that no mapping feeds.
   */
  enable(functionName: string, enabled: boolean): void;
  /** All of them, in the order of the template, which is the order of the flow. */
  readonly source: Source;
  stop(): void;
}

const TABLE_OF_STREAM = /:table\/([^/]+)\/stream\//;

type Turn = "before" | "telling" | "beside" | "after";

/**
 * When a mapping has its turn in a round. What listens to the topic and does not know the book only tells
 * others: it changes no decision who of them is first, nor who decides meanwhile, but for those whom they
 * tell, who come after them.
 */
const turnsOf = ({ mappings, functions, queues }: Wiring, subscribed: ReadonlySet<string>): ((mapping: Mapping) => Turn) => {
  const variablesOf = ({ functionName }: Mapping) => functions.find(({ name }) => name === functionName)?.environment ?? {};
  const tells = (mapping: Mapping): boolean => subscribed.has(mapping.sourceArn) && variablesOf(mapping)["BOOK_TABLE"] === undefined;
  const first = mappings.findIndex(tells);
  const told = new Set(mappings.filter(tells).flatMap((mapping) => Object.values(variablesOf(mapping))));
  const hears = ({ sourceArn }: Mapping): boolean => queues.some(({ arn, url }) => arn === sourceArn && told.has(url));
  return (mapping) => {
    if (tells(mapping)) return "telling";
    if (hears(mapping)) return "after";
    return mappings.indexOf(mapping) < first ? "before" : "beside";
  };
};

/** One source for each event source mapping of the template. */
export const createSources = async (options: SourcesOptions): Promise<Sources> => {
  const { wiring, messages, lambda, streams, endpoint, now, stepped, meter, asynchronous } = options;
  const { region } = wiring.place;
  const readers: StreamReader[] = [];
  const disabled = new Set<string>();
  const subscribed = new Set(wiring.subscriptions.map(({ Endpoint }) => Endpoint));

  const sourceOf = async (mapping: Mapping): Promise<Source> => {
    const queue = wiring.queues.find(({ arn }) => arn === mapping.sourceArn);
    const enabled = (): boolean => !disabled.has(mapping.functionName);
    if (queue !== undefined) {
      const ordered = subscribed.has(queue.arn);
      const source = createQueueSource({ mapping, queue, ordered, region, messages, lambda, sentAt: stepped ? now : null });
      return { ...source, wave: async () => enabled() && (await source.wave()) };
    }
    const streamArn = streams.get(TABLE_OF_STREAM.exec(mapping.sourceArn)?.[1] ?? "");
    if (streamArn === undefined)
      throw new Error(`${mapping.id}: its source ${mapping.sourceArn} is neither a queue nor the stream of a table`);
    const reader = await createStreamReader(endpoint, region, streamArn);
    readers.push(reader);
    return createStreamSource({ mapping, reader, lambda, messages, realTime: !stepped, meter, now, enabled });
  };

  const turnOf = turnsOf(wiring, subscribed);
  const turns: Record<Turn, Source[]> = { before: [], telling: [], beside: [], after: [] };
  for (const mapping of wiring.mappings) turns[turnOf(mapping)].push(await sourceOf(mapping));
  const { before, telling, beside, after } = turns;
  return {
    enable: (functionName, enabled) => {
      if (!wiring.mappings.some((mapping) => mapping.functionName === functionName))
        throw new Error(`no event source mapping of the template feeds ${functionName}`);
      if (enabled) disabled.delete(functionName);
      else disabled.add(functionName);
    },
    source: inTurn(...before, sideBySide(...telling, inTurn(...beside, asynchronous)), ...after),
    stop: () => {
      for (const reader of readers) reader.stop();
    },
  };
};
