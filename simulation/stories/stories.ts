import { CLOUD } from "./cloud.ts";
import { MARKET } from "./market.ts";
import { MESSAGES } from "./messages.ts";
import { PAIRS } from "./pairs.ts";
import { RACES } from "./races.ts";
import { RECORDED } from "./recorded.ts";
import type { Story } from "./story.ts";

/** Every story, in the order of its scenario. */
export const STORIES: readonly Story[] = [...MARKET, ...RECORDED, ...CLOUD, ...MESSAGES, ...RACES, ...PAIRS].sort((a, b) =>
  a.id === b.id ? 0 : a.id < b.id ? -1 : 1,
);
