import { encodeFeed, type FeedMessage } from "../../adapters/wire/feed.ts";
import { encodeMarks } from "../../adapters/wire/marks.ts";
import { parseMessage } from "../../adapters/wire/parse.ts";
import { venueOrder } from "../../adapters/wire/venue.ts";
import { divide, type Money, money, type Price, price, quantity } from "../../core/money.ts";
import type { BookAccount } from "../../local/book.ts";
import type { CallRow, FinalTables } from "../../local/final-tables.ts";
import { type Market, marketOf, markOf } from "../../local/market.ts";
import type { Page } from "../../local/page/server.ts";
import { COIN_POLICY_ID, DEFAULT_POLICY_ID, instrumentTermsOf, policyTerms } from "../../local/terms.ts";
import { createVenue, type Venue } from "../../local/venue.ts";
import type { Place } from "./place.ts";

/** Short enough for a run of minutes in real time, long enough for a slow machine to be through with the second fall before a deadline. */
const CLOCKS = { graceMs: 90_000, topUpGraceMs: 90_000, jumpPpmPerMinute: 300_000 };
/** Room for the first start of each function: a notice that is accepted in time moves no deadline (R12). */
const NOTICE_ALLOWANCE_MS = 60_000;
/** Marks are good for the whole run: what is compared is the pipeline, not who is faster. */
const MARK_SPACING_MS = 600_000;
/** A feed tells a price that stands still again: past a deadline only a price from after it is judged (I04). */
const TICK_MS = 5_000;
/** Longest that anything of the story may take, well above the slowest of its clocks: a message that nobody can read is parked after 270 s. */
const WAIT_MAX_MS = 420_000;
/** Looks in a row at which nothing changed and nothing was on its way, before the story is over. */
const QUIET_LOOKS = 6;
const QUIET_WAIT_MS = 120_000;
const SEED = 1;

const OPENING = price("8000");
const BREACH = price("7700");
const DEEPER = price("7650");

const series = {
  symbol: "BTCUSDT",
  baseAsset: "BTC",
  quoteAsset: "USDT",
  barMs: 3 * MARK_SPACING_MS,
  bars: [{ openAt: Date.UTC(2020, 2, 12), open: OPENING, high: OPENING, low: OPENING, close: OPENING }],
};

/** A linear and an inverse perpetual and the index of the coin: a dated future would end at a date. */
const market: Market = (() => {
  const all = marketOf([series]);
  return { ...all, listings: all.listings.filter(({ expiryAt }) => expiryAt === null) };
})();

/** Who holds what, and what becomes of it. Each account's name is its fate. */
const FATES = [
  { accountId: "untouched", brokerId: "meridian", cash: "50000", contracts: "10" },
  { accountId: "wins", brokerId: "harbour", cash: "50000", contracts: "-10" },
  { accountId: "pays", brokerId: "meridian", cash: "5500", contracts: "10" },
  { accountId: "pays-in-part", brokerId: "harbour", cash: "5500", contracts: "10" },
  { accountId: "reduces", brokerId: "meridian", cash: "5600", contracts: "10" },
  { accountId: "leaves", brokerId: "northstar", cash: "5500", contracts: "10" },
  { accountId: "silent", brokerId: "harbour", cash: "5500", contracts: "10" },
  { accountId: "silent-too", brokerId: "northstar", cash: "13750", contracts: "25" },
  { accountId: "closed-out", brokerId: "meridian", cash: "4500", contracts: "10" },
] as const;

/** Accounts that the first fall calls or closes out. */
const CALLED = ["pays", "pays-in-part", "reduces", "leaves", "silent", "silent-too", "closed-out", "in-coin"];
/** Accounts whose calls run to their deadline. */
const TOPPED_UP = ["pays-in-part", "silent", "silent-too", "in-coin"];

const contactOf = (accountId: string, brokerId: string) => ({
  email: `${accountId}@${brokerId}.example`,
  name: null,
  timeZone: "UTC",
  locale: "en",
  antiPhishingCode: null,
});

const book = (): BookAccount[] => [
  ...FATES.map(({ accountId, brokerId, cash, contracts }) => ({
    accountId,
    brokerId,
    clientClass: "retail",
    policyId: DEFAULT_POLICY_ID,
    balances: new Map([["USDT", money(cash)]]),
    positions: [{ instrumentId: "BTC-PERP", quantity: quantity(contracts), entryPrice: OPENING }],
    contact: contactOf(accountId, brokerId),
  })),
  {
    accountId: "in-coin",
    brokerId: "northstar",
    clientClass: "retail",
    policyId: COIN_POLICY_ID,
    balances: new Map([["BTC", money("0.78")]]),
    positions: [{ instrumentId: "BTCUSD-PERP", quantity: quantity("800"), entryPrice: OPENING }],
    contact: contactOf("in-coin", "northstar"),
  },
];

/** What was played, for those who judge it. */
export interface Played {
  readonly venue: Venue;
  readonly accounts: readonly BookAccount[];
}

interface Scene {
  readonly place: Place;
  readonly venue: Venue;
  /** The newest price of the coin. */
  level: Price;
  tickAt: number;
}

const ask = async ({ place }: Scene, role: string, [method, path]: readonly [string, string], body: unknown): Promise<unknown> => {
  const reply = await place.request(method, path, body, role);
  if (reply.status >= 300) throw new Error(`${place.name}: ${method} ${path} was answered ${reply.status}: ${JSON.stringify(reply.body)}`);
  return reply.body;
};

/** The price of the coin as a message of marks, for the venue to trade at too. */
const tickOf = (scene: Scene): string => {
  const asOf = scene.place.now();
  scene.tickAt = asOf;
  const marks = market.listings.map((listing) => ({
    instrumentId: listing.instrumentId,
    price: markOf(listing, scene.level),
    asOf,
    source: "story",
  }));
  scene.venue.show(new Map(marks.map((mark) => [mark.instrumentId, mark.price])));
  return encodeMarks(marks);
};

const fallTo = (scene: Scene, level: Price): Promise<void> => {
  scene.level = level;
  return scene.place.send("marks", [{ body: tickOf(scene) }]);
};

const tell = ({ place }: Scene, messages: readonly (FeedMessage | null)[]): Promise<void> =>
  place.send(
    "feed.fifo",
    messages
      .filter((message) => message !== null)
      .map((message) => ({ body: encodeFeed(message), groupId: message.accountId, dedupId: message.entries[0]?.externalId ?? "" })),
  );

/** The venue's gateway takes what waits for it and tells what came of it. */
const tend = async (scene: Scene): Promise<void> => {
  const orders = await scene.place.takeOrders();
  await tell(
    scene,
    orders.map((body) => scene.venue.accept(parseMessage(venueOrder, body), scene.place.now())),
  );
};

/** Lets time pass until it is so. @throws Error that says what never came, and what kept it where something says so. */
const until = async (
  scene: Scene,
  what: string,
  isSo: (tables: FinalTables) => boolean | Promise<boolean>,
  { waitMs, because }: { waitMs: number; because: () => string } = { waitMs: WAIT_MAX_MS, because: () => "" },
): Promise<void> => {
  const giveUpAt = scene.place.now() + waitMs;
  while (!(await isSo(await scene.place.tables()))) {
    if (scene.place.now() > giveUpAt) throw new Error(`${scene.place.name}: in ${waitMs / 1_000} s there came no ${what}${because()}`);
    await scene.place.step();
    await tend(scene);
    if (scene.place.now() - scene.tickAt >= TICK_MS) await scene.place.send("marks", [{ body: tickOf(scene) }]);
  }
};

const load = async (scene: Scene, page: Page, accounts: readonly BookAccount[]): Promise<void> => {
  for (const listing of market.listings) {
    const terms = instrumentTermsOf({ ...listing, spacingMs: MARK_SPACING_MS }, OPENING, CLOCKS);
    await ask(scene, "operator", ["PUT", `/instruments/${listing.instrumentId}`], terms);
  }
  for (const [policyId, terms] of policyTerms(market, CLOCKS)) {
    const quick = { ...terms, graceMinMs: CLOCKS.graceMs, noticeAllowanceMs: NOTICE_ALLOWANCE_MS };
    await ask(scene, "operator", ["PUT", `/policies/${policyId}`], quick);
  }
  for (const brokerId of new Set(accounts.map((account) => account.brokerId))) {
    const endpointId = `ep_${brokerId}`;
    const body = { url: `${page.url}/receive/${endpointId}`, types: null, enabled: true };
    const made = await ask(scene, "operator", ["PUT", `/brokers/${brokerId}/endpoints/${endpointId}`], body);
    page.receiver.trust(endpointId, String((made as { secret?: unknown }).secret));
  }
  for (const { accountId, contact } of accounts) await ask(scene, "operator", ["PUT", `/accounts/${accountId}/contact`], contact);
  await ask(scene, "marks", ["POST", "/marks"], JSON.parse(tickOf(scene)));
  // Who is opened before there is a price is called on none (R3): the first account shows when prices are there.
  const [first, ...others] = accounts;
  if (first === undefined) return;
  await tell(scene, [scene.venue.open(first, scene.place.now())]);
  await until(scene, "good mark", async () => {
    const { status, body } = await scene.place.request("GET", `/accounts/${first.accountId}`, null, "auditor");
    return status === 200 && (body as { statement: { allGood: boolean } }).statement.allGood;
  });
  await tell(
    scene,
    others.map((account) => scene.venue.open(account, scene.place.now())),
  );
  await until(scene, "account for each that was opened", ({ accounts: opened }) => opened.length === accounts.length);
};

const callOf = (tables: FinalTables, accountId: string): CallRow & { readonly outstanding: bigint; readonly topUps: number } => {
  const call = tables.calls.find((one) => one.accountId === accountId);
  if (call === undefined) throw new Error(`${accountId} has no call`);
  const { amountDue, metAmount, topUps } = call as unknown as { amountDue: string; metAmount: string; topUps: number };
  return { ...call, outstanding: money(amountDue) - money(metAmount), topUps };
};

const ended = (status: string): boolean => status !== "OPEN" && status !== "LIQUIDATING";

/** What the holders do who do anything. */
const react = async (scene: Scene): Promise<void> => {
  const { place, venue } = scene;
  const tables = await place.tables();
  const due = (accountId: string) => callOf(tables, accountId).outstanding as Money;
  const half = (amount: bigint) => divide(amount, 2n, "up") as Money;
  await tell(scene, [
    venue.deposit("pays", "USDT", due("pays"), place.now()),
    venue.deposit("pays-in-part", "USDT", half(due("pays-in-part")), place.now()),
    venue.close("reduces", "BTC-PERP", quantity("6"), place.now()),
    venue.close("leaves", "BTC-PERP", quantity("10"), place.now()),
  ]);
  const cured = new Set(["pays", "reduces", "leaves"]);
  await until(scene, "end of the calls that were cured, and call after the first liquidation", ({ accounts, calls }) => {
    const isCured = calls.every(({ accountId, status }) => !cured.has(accountId) || ended(status));
    const isCredited = accounts.find(({ accountId }) => accountId === "pays-in-part")?.cash.get("USDT") !== money("5500");
    return isCured && isCredited && calls.filter(({ accountId }) => accountId === "closed-out").length === 2;
  });
};

/** Nothing on its way, and nothing new, for some looks in a row. */
const settle = async (scene: Scene): Promise<void> => {
  const { place } = scene;
  let [looks, before] = [0, ""];
  let waiting: readonly string[] = [];
  const isQuiet = async ({ accounts, orders }: FinalTables): Promise<boolean> => {
    const versions = accounts.map(({ accountId, version }) => `${accountId} ${version}`);
    const now = `${versions} ${orders.length} ${place.events().length} ${(await place.emails()).length}`;
    waiting = await place.onItsWay();
    looks = waiting.length === 0 && now === before ? looks + 1 : 0;
    before = now;
    return looks >= QUIET_LOOKS;
  };
  await until(scene, "quiet", isQuiet, { waitMs: QUIET_WAIT_MS, because: () => `: ${waiting.join(", ")}` });
};

/**
 * Plays the story: prices fall, holders are called, some cure, the price falls further, deadlines pass, orders go
 * out and are filled. Each act waits for what the one before has brought about, so that no outcome depends on who
 * is faster.
 */
export const playStory = async (place: Place, page: Page): Promise<Played> => {
  const accounts = book();
  const scene: Scene = { place, venue: createVenue(market, SEED), level: OPENING, tickAt: 0 };
  await load(scene, page, accounts);
  await place.send("marks", [{ body: "{no price" }]);

  await fallTo(scene, BREACH);
  await until(scene, "call for each that is short", ({ calls }) =>
    CALLED.every((accountId) => calls.some((call) => call.accountId === accountId)),
  );
  await react(scene);

  await fallTo(scene, DEEPER);
  await until(scene, "top-up of the calls that still run", (tables) =>
    TOPPED_UP.every((accountId) => callOf(tables, accountId).topUps > 0),
  );

  await until(scene, "end of every call", ({ calls }) => calls.every(({ status }) => ended(status)));
  await until(scene, "parked message", async () => Object.values(await place.deadLetters()).some((messages) => messages > 0));
  await settle(scene);
  return { venue: scene.venue, accounts };
};
