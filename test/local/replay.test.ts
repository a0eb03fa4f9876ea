import type { SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";

import { eventMessage } from "../../adapters/wire/events.ts";
import { feedMessage } from "../../adapters/wire/feed.ts";
import { decimal } from "../../core/money.ts";
import { reactionTo } from "../../local/holders.ts";
import { type Options, readOptions } from "../../local/options.ts";
import { createReceiver } from "../../local/page/receiver.ts";
import type { Page } from "../../local/page/server.ts";
import { createReplay, type ReplayCloud } from "../../local/replay.ts";
import { REAL_SPACING_MS, writeScript } from "../../local/script.ts";
import { callView, event } from "./fixtures.ts";

const NOW = Date.UTC(2026, 0, 1);

const scriptOf = (...args: string[]) => writeScript(readOptions(args) as Options, NOW);

/** A cloud that only writes down what reaches it, and plays what was put on its agenda. */
const fakeCloud = (startAt: number) => {
  const agenda: { at: number; label: string; act: () => Promise<void> }[] = [];
  const requests: { method: string; path: string; body: unknown; role: string | null }[] = [];
  const sent: { groupId: string | undefined; body: string }[] = [];
  const orders: string[] = [];
  const hearers: ((body: string) => void)[] = [];
  let now = startAt;
  const cloud: ReplayCloud = {
    now: () => now,
    at: (at, label, act) => {
      agenda.push({ at, label, act });
      return () => undefined;
    },
    run: async ({ until = Number.POSITIVE_INFINITY, onStep } = {}) => {
      await onStep?.(now);
      for (;;) {
        agenda.sort((a, b) => a.at - b.at);
        const next = agenda[0];
        if (next === undefined || next.at > until) break;
        agenda.shift();
        now = Math.max(now, next.at);
        await next.act();
        await onStep?.(now);
      }
    },
    request: (method, path, body, role) => {
      requests.push({ method, path, body, role });
      return Promise.resolve({ status: path.startsWith("/refused") ? 400 : 200, body: { secret: "whsec_x" } });
    },
    receive: () => Promise.resolve(orders.splice(0).map((body, index) => ({ messageId: String(index), groupId: "A000001", body }))),
    onEmail: () => undefined,
    onEvent: (hear) => void hearers.push(hear),
    queueUrl: (name) => `http://127.0.0.1/${name}`,
    clients: {
      sqs: {
        send: ((command: SendMessageBatchCommand) => {
          for (const { MessageGroupId, MessageBody } of command.input.Entries ?? [])
            sent.push({ groupId: MessageGroupId, body: MessageBody ?? "" });
          return Promise.resolve({ Successful: [], Failed: [] });
        }) as unknown as ReplayCloud["clients"]["sqs"]["send"],
      },
    },
  };
  const hear = (body: unknown): void => {
    for (const one of hearers) one(JSON.stringify(eventMessage.parse(body)));
  };
  return { cloud, agenda, requests, sent, orders, hear };
};

const fakePage = (): Page => ({
  url: "http://127.0.0.1:1",
  receiver: createReceiver(),
  emails: [],
  mail: () => undefined,
  tell: () => undefined,
  stop: () => Promise.resolve(),
});

const loaded = async (...args: string[]) => {
  const script = scriptOf(...args);
  const fake = fakeCloud(script.steps[0]?.at ?? 0);
  const replay = createReplay(fake.cloud, script, fakePage());
  await replay.load();
  return { ...fake, script, replay };
};

describe("loading a replay", () => {
  it("enters everything by the API under the role that may do it, and accounts by the venue's feed", async () => {
    const { requests, sent, script } = await loaded("--accounts", "25");
    const lines = requests.map(({ method, path, role }) => `${role} ${method} ${path}`);
    expect(lines.slice(0, 9)).toEqual([
      ...["BTC-PERP", "BTCUSD-PERP", "BTC-26JUN20", "BTC-INDEX", "ETH-PERP", "ETHUSD-PERP", "ETH-INDEX"].map(
        (id) => `operator PUT /instruments/${id}`,
      ),
      "operator PUT /policies/standard",
      "operator PUT /policies/coin-btc",
    ]);
    expect(lines.filter((line) => line.includes("/endpoints/"))).toHaveLength(3);
    expect(lines.filter((line) => line === "marks POST /marks")).toHaveLength(1);
    expect(lines.filter((line) => line.endsWith("/contact"))).toHaveLength(25);
    expect(sent.map(({ groupId }) => groupId)).toEqual(script.accounts.map(({ accountId }) => accountId));
    for (const { body } of sent) expect(feedMessage.parse(JSON.parse(body)).entries).toMatchObject([{ kind: "snapshot", sequence: 1 }]);
  });
});

describe("playing a replay", () => {
  it("posts each tick at its instant and ends with the last bar", async () => {
    const { cloud, requests, replay, script } = await loaded("--accounts", "1");
    await replay.play(() => undefined);
    const marks = requests
      .filter(({ path }) => path === "/marks")
      .map(({ body }) => body as { marks: { instrumentId: string; price: string; asOf: string }[] });
    expect(marks).toHaveLength(145);
    expect(marks[32]?.marks[0]).toEqual({ instrumentId: "BTC-PERP", price: "5587", asOf: "2020-03-12T10:40:00.000Z", source: "replay" });
    expect(replay.share()).toBe(1);
    expect(cloud.now()).toBeLessThanOrEqual((script.steps.at(-1)?.at ?? 0) + 1_200_000);
  });

  it("lets the venue execute an order once and sends what came of it through the feed", async () => {
    const { orders, sent, replay, script } = await loaded("--accounts", "30");
    const account = script.accounts.find(({ positions }) =>
      positions.some((held) => held.instrumentId === "BTC-PERP" && held.quantity > 0n),
    );
    const held = account?.positions.find(({ instrumentId }) => instrumentId === "BTC-PERP");
    if (account === undefined || held === undefined) throw new Error("no long account");
    const order = {
      schemaVersion: 1,
      orderId: "MC-ABCDEFGHIJKL-1-1-BTC-PERP",
      callId: "MC-ABCDEFGHIJKL-1",
      attempt: 1,
      accountId: account.accountId,
      brokerId: account.brokerId,
      instrumentId: "BTC-PERP",
      side: "sell",
      quantity: decimal(held.quantity),
      limitPrice: "1",
      reduceOnly: true,
      timeInForce: "IOC",
      createdAt: "2020-03-12T00:00:00.000Z",
      sentAt: "2020-03-12T00:00:00.000Z",
    };
    orders.push(JSON.stringify(order), JSON.stringify(order));
    const before = sent.length;
    await replay.play(() => undefined);
    const facts = sent.slice(before).flatMap(({ body }) => feedMessage.parse(JSON.parse(body)).entries);
    expect(facts.at(-1)).toMatchObject({ kind: "order_closed", orderId: order.orderId });
    expect(facts.filter(({ kind }) => kind === "order_closed")).toHaveLength(1);
    expect(replay.venue.record.orders.get(order.orderId)?.times).toBe(2);
  });

  it("lets a holder pay what the newest event of the call says is outstanding, and nobody once it has ended", async () => {
    const { hear, requests, replay } = await loaded("--accounts", "5");
    const payers = Array.from({ length: 200 }, (_, index) => `MC-ABCDEFGHIJKL-${index + 1}`).filter((callId) => {
      const reaction = reactionTo(event({ call: callView({ callId }) }), 1);
      return reaction?.kind === "pay" && !reaction.inCoin;
    });
    const [first, second] = payers as [string, string];
    const said = (id: string, changes: Parameters<typeof event>[0]) =>
      event({ id: `evt_${id.padEnd(20, "0")}`, accountId: "A000001", ...changes });
    hear(said("a", { call: callView({ callId: first }) }));
    hear(said("b", { type: "margin_call.updated", accountSequence: 3, call: callView({ callId: first, outstanding: "77" }) }));
    hear(said("c", { call: callView({ callId: second }) }));
    hear(said("d", { type: "margin_call.met", accountSequence: 3, call: callView({ callId: second, status: "MET" }) }));
    await replay.play(() => undefined);
    const deposits = requests.filter(({ path }) => path === "/feed-entries");
    expect(deposits).toMatchObject([
      { role: "feed", body: { accountId: "A000001", entries: [{ kind: "deposit", asset: "USDT", amount: "77" }] } },
    ]);
  });

  it("stops with the API's own words when it refuses", async () => {
    const script = scriptOf("--accounts", "1");
    const { cloud } = fakeCloud(0);
    const refusing: ReplayCloud = { ...cloud, request: () => Promise.resolve({ status: 400, body: { title: "no" } }) };
    await expect(createReplay(refusing, script, fakePage()).load()).rejects.toThrow(
      'PUT /instruments/BTC-PERP was answered 400: {"title":"no"}',
    );
  });
});

describe("the script", () => {
  it("keeps the path's own instants on the stepped clock", () => {
    const script = scriptOf("--accounts", "1");
    expect(script.steps[0]?.at).toBe(Date.UTC(2020, 2, 12));
    expect(script.steps).toHaveLength(145);
    expect(script.clocks.graceMs).toBe(1_800_000);
  });

  it("plays one tick after another from now on the real clock", () => {
    const { steps, clocks } = scriptOf("--accounts", "1", "--realtime");
    expect([steps[0]?.at, steps[1]?.at]).toEqual([NOW, NOW + REAL_SPACING_MS]);
    expect(clocks.graceMs).toBe(60_000);
  });
});
