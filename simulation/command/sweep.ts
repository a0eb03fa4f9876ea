import { CALL_FAULTS, type CallFault, COVERAGE, type FaultKind, type PortMethod } from "../faults/alphabet.ts";
import { type Faults, scriptedFaults } from "../faults/chance.ts";
import type { Deployment } from "../run.ts";
import { STORIES } from "../stories/stories.ts";
import { runStory, type Story } from "../stories/story.ts";

/** One run of a sweep: which faults strike at which requests of a story. */
export interface Strike {
  readonly story: string;
  /** Title, since a scenario may have more than one story. */
  readonly title: string;
  readonly faults: readonly (readonly [request: number, kind: CallFault])[];
}

/** A strike under which something broke. */
export interface Swept {
  readonly runs: number;
  readonly broken: readonly (Strike & { readonly words: string })[];
}

const storyOf = ({ story, title }: Pick<Strike, "story" | "title">): Story => {
  const found = STORIES.find((one) => one.id === story && one.title === title);
  if (found === undefined) throw new Error(`there is no story ${story}: ${title}`);
  return found;
};

/** Stories whose outcome must stand whatever single fault strikes wherever, and that need no data beside the project. */
export const sweptStories = (): readonly Story[] =>
  STORIES.filter(({ sweeps, needsData }) => sweeps === true && (needsData ?? []).length === 0);

/** The methods that a story calls without a fault, in order: request 1 is the first. */
export const requestsOf = async (deployment: Deployment, { id, title }: Pick<Story, "id" | "title">): Promise<PortMethod[]> => {
  const methods: PortMethod[] = [];
  const none = scriptedFaults(new Map());
  const listening: Faults = {
    ...none,
    atCall: (method) => {
      methods.push(method);
      return null;
    },
  };
  await runStory(deployment, storyOf({ story: id, title }), listening);
  return methods;
};

const isCallFault = (kind: FaultKind): kind is CallFault => (CALL_FAULTS as readonly FaultKind[]).includes(kind);

/** Every fault of every request. */
export function* single({ id, title }: Pick<Story, "id" | "title">, methods: readonly PortMethod[]): Generator<Strike> {
  for (const [index, method] of methods.entries()) {
    for (const kind of COVERAGE[method].filter(isCallFault)) yield { story: id, title, faults: [[index + 1, kind]] };
  }
}

/** What changes something that others see: the path on which two faults strike. */
const CRITICAL: ReadonlySet<PortMethod> = new Set(["db.transactWrite", "bus.publish"]);
const PAIRED = ["crashBefore", "crashAfter", "lostReply"] as const satisfies readonly CallFault[];
/** The second fault strikes at one of so many writes after the first. */
const NEXT = 2;

/** Two faults at writes that follow each other. */
export function* double({ id, title }: Pick<Story, "id" | "title">, methods: readonly PortMethod[]): Generator<Strike> {
  const writes = methods.flatMap((method, index) => (CRITICAL.has(method) ? [index + 1] : []));
  for (const [place, first] of writes.entries()) {
    for (const second of writes.slice(place + 1, place + 1 + NEXT)) {
      for (const one of PAIRED)
        for (const two of PAIRED)
          yield {
            story: id,
            title,
            faults: [
              [first, one],
              [second, two],
            ],
          };
    }
  }
}

/** Plays strikes. @returns those under which a property broke, or the story ended otherwise than it always must. */
export const strike = async (deployment: Deployment, strikes: readonly Strike[]): Promise<Swept> => {
  const broken: Swept["broken"][number][] = [];
  for (const one of strikes) {
    const story = storyOf(one);
    const told = await runStory(deployment, story, scriptedFaults(new Map(one.faults)));
    const { violation } = told.result;
    const words = violation === null ? (story.always?.(told) ?? []) : [`${violation.id}: ${violation.message}`];
    if (words.length > 0) broken.push({ ...one, words: words.join("; ") });
  }
  return { runs: strikes.length, broken };
};
