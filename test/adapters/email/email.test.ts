import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { emailOf } from "../../../adapters/email/email.ts";
import { PALETTE } from "../../../adapters/email/layout.ts";
import { EMAILED_TYPES } from "../../../adapters/email/notice.ts";
import type { Email } from "../../../adapters/world.ts";
import { EVENT_TYPES } from "../../../core/event.ts";
import { callOf, contactOf, eventOf, NOW } from "./events.ts";

const sender = { appUrl: "https://app.venue.example/desk?x=1", mailFrom: "Venue margin <calls@venue.example>", now: NOW };
const write = (event = eventOf(), contact = contactOf()): Email => {
  const email = emailOf(event, contact, sender);
  if (email === null) throw new Error("no email for this event");
  return email;
};

describe("N10 what a margin call says", () => {
  test("N10 N13 the text part, word for word", () => {
    expect(write().text).toBe(`Margin call: 12,400.00 USDT due
===============================

Hello Ada Lim,

The equity of account …4821 no longer covers the margin that its positions need. Please act by today 17:30 Singapore time (09:30 UTC).

Account: …4821
Margin call: MC-ABCDEFGHIJ23-1
Reason: R1: headroom below the call level
Equity: 87,600.25 USDT
Initial margin requirement: 100,000.25 USDT
Maintenance margin requirement: 50,000.00 USDT
Valued at: 2020-03-12T08:47:00Z
Amount due: 12,400.00 USDT
Credited so far: 0.00 USDT
Still due: 12,400.00 USDT
Largest part of the requirement: BTC-PERP: bracket 1
Deadline: Today 17:30 Singapore time (09:30 UTC), 42 minutes after this email was sent
Deadline, exact: 2020-03-12T09:30:00Z

Ways to meet the call (any one is enough):
- Deposit 12,400.00 USDT
- Deposit 1.56789012 BTC
- Sell 3.5 BTCUSDT-PERP to reduce the position

What happens at the deadline:
- If the call is not met by then, we send orders that reduce your positions, within 120 seconds, until the account is back above its call level.
- We may act earlier if the equity falls below the maintenance margin requirement, whatever the deadline.

See the call in your account:
https://app.venue.example/calls/MC-ABCDEFGHIJ23-1

--
Your anti-phishing code: blue heron. An email without it is not from us.
Links in this email lead to app.venue.example and nowhere else. We never send bank details by email and never ask for passwords or keys.
Margin calls cannot be unsubscribed from: they concern the safety of your positions.
`);
  });

  test("R9 a pool's call asks for money moved into that pool, and says that a deposit does not meet it", () => {
    const pooled = callOf({
      scope: "ISO#BTCUSDT-PERP",
      cures: [
        { kind: "deposit", asset: "USDT", amount: "12400" },
        { kind: "reduce", instrumentId: "BTCUSDT-PERP", side: "sell", quantity: "3.5" },
      ],
    });
    const { text } = write(eventOf({ scope: "ISO#BTCUSDT-PERP", call: pooled }));
    expect(text).toContain(
      "The equity of the isolated BTCUSDT-PERP pool of account …4821 no longer covers the margin that its positions need.",
    );
    expect(text).toContain("Isolated pool: BTCUSDT-PERP");
    expect(text).toContain("- Move 12,400.00 USDT into the isolated pool of BTCUSDT-PERP");
    expect(text).toContain("- Only money moved into this pool counts: a deposit to the account does not meet this call.");
    expect(text).toContain("we send orders that reduce your BTCUSDT-PERP position, and no other, within 120 seconds");
    expect(text).not.toContain("- Deposit");
  });

  test("N6 N13 headers: one subject a call, a thread, the same reference for the same event, no way to unsubscribe", () => {
    const first = write();
    const second = write(eventOf({ id: "evt_fedcba9876543210", type: "margin_call.met", call: callOf({ status: "MET" }) }));
    expect(first.subject).toBe("Margin call MC-ABCDEFGHIJ23-1 on account …4821");
    expect(second.subject).toBe(first.subject);
    expect(first.headers).toEqual({
      "X-Entity-Ref-ID": "evt_0123456789abcdef",
      References: "<MC-ABCDEFGHIJ23-1@venue.example>",
      "List-Id": "Margin calls <margin-calls.venue.example>",
      "Auto-Submitted": "auto-generated",
      Importance: "high",
    });
    expect(second.headers["References"]).toBe(first.headers["References"]);
    expect(first.tags).toEqual({ type: "margin_call-issued", call: "MC-ABCDEFGHIJ23-1" });
    expect(first.to).toBe("holder@example.com");
  });

  test.each(EVENT_TYPES.map((type) => [type]))("R27 %s is emailed or not, as listed", (type) => {
    const emailed = (EMAILED_TYPES as readonly string[]).includes(type);
    expect(emailOf(eventOf({ type }), contactOf(), sender) !== null).toBe(emailed);
  });

  test("an event without a call is not emailed", () => {
    expect(emailOf(eventOf({ call: null }), contactOf(), sender)).toBeNull();
  });

  test.each([
    ["notify", "reduce", "your broker decides what follows"],
    ["enforce", "restrict", "limited to reducing its positions"],
    ["enforce", "reduce", "within 120 seconds"],
  ] as const)("R14 R28 mode %s, policy %s: the consequence is the true one", (mode, onUnmet, words) => {
    const { text } = write(eventOf({ mode, call: callOf({ onUnmet }) }));
    expect(text).toContain(words);
    expect(text.includes("We may act earlier")).toBe(mode === "enforce");
  });

  test("R3 a call on bad marks says that its clock waits", () => {
    const { text } = write(eventOf({ call: callOf({ deadlineAt: null, onBadMarks: true }) }));
    expect(text).toContain("The time to act has not started yet");
    expect(text).toContain("Deadline: Not set: it waits for a reliable price");
    expect(text).toContain("A price behind this call is missing or old");
  });

  test("R8 a liquidation without a deadline does not say that one waits", () => {
    const call = callOf({ status: "LIQUIDATING", deadlineAt: null, liquidationReason: "closeOut" });
    const { text } = write(eventOf({ type: "liquidation.started", call }));
    expect(text).toContain("Deadline: None: below the close-out level there is no time to act");
  });

  test("R10 part paid: the rest is due, and what was paid counts", () => {
    const call = callOf({ metAmount: "400.1", outstanding: "11999.9" });
    const { text, html } = write(eventOf({ type: "margin_call.partially_met", call }));
    expect(text).toContain("Credited so far: 400.10 USDT");
    expect(text).toContain("Still due: 11,999.90 USDT");
    expect(text).toContain("- Deposit 11,999.90 USDT\n- Deposit 1.56789012 BTC (as first asked; less is enough now)");
    expect(html).toContain("Margin call: 11,999.90 USDT still due");
  });

  test("R15 an extension says that it is for a deposit, once, and until when", () => {
    const { text } = write(eventOf({ type: "margin_call.extended" }));
    expect(text).toContain("Margin call: more time while your deposit confirms");
    expect(text).toMatch(/is still confirming, so the deadline of its margin call has moved later, once\. .* Please act by /);
    expect(text).toContain("Ways to meet the call");
    expect(text).toContain("What happens at the deadline");
  });

  test.each([
    ["margin_call.met", "Nothing further is due"],
    ["margin_call.cancelled", "Nothing is due"],
    ["liquidation.completed", "are done"],
    ["liquidation.failed", "Our risk desk has taken over"],
  ] as const)("%s asks for nothing", (type, words) => {
    const { text } = write(eventOf({ type, call: callOf({ status: "MET" }) }));
    expect(text).toContain(words);
    expect(text).not.toContain("Ways to meet the call");
    expect(text).not.toContain("What happens at the deadline");
  });

  test.each([
    ["deadline", "was not met by its deadline"],
    ["closeOut", "fell below its maintenance requirement"],
  ] as const)("R8 liquidation.started says why: %s", (liquidationReason, words) => {
    expect(write(eventOf({ type: "liquidation.started", call: callOf({ status: "LIQUIDATING", liquidationReason }) })).text).toContain(
      words,
    );
  });

  test("R14 an expired call that stays open can still be met, and the past is not counted down", () => {
    const { text } = write(eventOf({ type: "margin_call.expired", call: callOf({ deadlineAt: "2020-03-12T08:00:00.000Z" }) }));
    expect(text).toContain("Ways to meet the call");
    expect(text).not.toContain("If the call is not met by then");
    expect(text).not.toContain("after this email was sent");
  });

  test("every amount is exact, digit for digit", () => {
    const { text } = write(eventOf({ call: callOf({ amountDue: "12345678901234567890.12345678" }) }));
    expect(text).toContain("Amount due: 12,345,678,901,234,567,890.12345678 USDT");
  });
});

const hostile = [
  "Eve\r\nBcc: everyone@example.com",
  "Eve\nSubject: free money",
  '<img src=x onerror="alert(1)">',
  "</title><script>alert(1)</script>",
  "{{constructor.constructor('return process')()}}",
  "\u202eevE reversed\u2066",
  "a\u0000b\u001b[31mred\u2028line",
  "x".repeat(10_000),
  "🦩".repeat(5_000),
  "\ud800 lone surrogate",
  "javascript:alert(1)",
];

describe("C8 text of others", () => {
  test.each(hostile.map((text) => [text.slice(0, 40), text]))("C8 %j as name, code and reason stays text", (_, text) => {
    const email = write(eventOf({ reason: text }), contactOf({ name: text, antiPhishingCode: text }));
    for (const value of [email.subject, ...Object.values(email.headers), ...Object.values(email.tags)]) {
      expect(value).not.toMatch(/[\r\n]/);
      expect(value).not.toContain("everyone@");
    }
    expect(email.html).not.toMatch(/<script|<img|onerror="/);
    expect(email.html.match(/<h1/g)).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(email.html + email.text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e\u2066-\u2069\u2028]/);
    expect(email.text).not.toMatch(/^(Bcc|Subject):/m);
    expect((email.html + email.text).isWellFormed()).toBe(true);
    expect(email.html.length).toBeLessThan(12_000);
  });

  test("C8 whatever the name, the page has the same elements", async () => {
    const elements = (html: string): string[] => html.match(/<\/?[a-z0-9!]+/gi) ?? [];
    const expected = elements(write().html);
    await fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        expect(elements(write(eventOf({ reason: name }), contactOf({ name, antiPhishingCode: name })).html)).toEqual(expected);
      }),
    );
  });

  test("N13 links lead to the venue's own site alone, and to no path of its setting", () => {
    const links = write().html.match(/(?:href|src)="[^"]*"/g);
    expect(links).toEqual(['href="https://app.venue.example/calls/MC-ABCDEFGHIJ23-1"']);
  });

  test("N13 neither part shows the account id or the address", () => {
    const { html, text, subject } = write();
    expect(html + text + subject).not.toContain("77124821");
    expect(html + text + subject).not.toContain("holder@example.com");
  });
});

const luminance = (colour: string): number => {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const contrast = (a: string, b: string): number => {
  const [dim = 0, bright = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (bright + 0.05) / (dim + 0.05);
};

describe("N13 the page", () => {
  test.each(["light", "dark"] as const)("N13 %s: every text has a contrast of at least 4.5 to 1, nothing pure", (scheme) => {
    const { page, ground, text, quiet, button, buttonText } = PALETTE[scheme];
    for (const [front, back] of [
      [text, ground],
      [text, page],
      [quiet, ground],
      [buttonText, button],
    ] as const) {
      expect(contrast(front, back)).toBeGreaterThanOrEqual(4.5);
    }
    for (const colour of Object.values(PALETTE[scheme])) expect(["#ffffff", "#000000"]).not.toContain(colour);
  });

  test("N13 language, direction, one h1, layout tables marked, both colour schemes, nothing below 14 px", () => {
    const { html } = write();
    expect(html).toContain('<html lang="en" dir="ltr">');
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    expect(html).toContain("<title>Margin call: 12,400.00 USDT due</title>");
    expect(html.match(/<h1/g)).toHaveLength(1);
    expect(html.match(/<table/g)).toHaveLength(html.match(/<table role="presentation"/g)?.length ?? 0);
    for (const [, size] of html.matchAll(/font-size:(\d+)px/g)) expect(Number(size)).toBeGreaterThanOrEqual(14);
    expect(html).toContain("prefers-color-scheme:dark");
  });
});
