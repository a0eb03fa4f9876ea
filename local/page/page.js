/* The replay's page: asks for what is new, shows three lists and one detail. Text enters as text, never as markup. */

const ROWS_SHOWN = 300;
const POLL_MS = 1_000;
const REST_MS = 5_000;

const store = { emails: [], deliveries: [], calls: new Map(), callsCursor: 0, totals: { emails: 0, deliveries: 0, calls: 0 } };
const view = { tab: "calls", chosen: { calls: null, inbox: null, webhooks: null }, part: "html", asked: null };

const at = (id) => document.getElementById(id);

/** An element with attributes and children; children may be text. */
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

const utc = (instant) => (instant === null || instant === undefined ? "" : new Date(instant).toISOString().slice(0, 19).replace("T", " "));

/** The same without the year, for lists. */
const shortly = (instant) => utc(instant).slice(5);

/** An amount for a list: cents where it is money, all it has where it is small. The detail shows it exactly. */
const rounded = (amount) => {
  const value = Number(amount);
  return value.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: Math.abs(value) < 1 ? 8 : 2 });
};

/** Why a call was liquidated, in words. */
const ENDS = { deadline: "deadline passed", closeOut: "below the close-out level" };

const stateOf = ({ status, liquidationReason, metBy }) =>
  [status, ENDS[liquidationReason], metBy === null ? "" : `by ${metBy}`].filter(Boolean).join(", ");

const deadlineOf = ({ deadlineAt, liquidationReason }) => {
  if (deadlineAt !== null) return `${utc(deadlineAt)} UTC`;
  return liquidationReason === "closeOut" ? "none below the close-out level" : "waits for a good price";
};

const toneOf = (status) => {
  if (status === "MET" || status === "CANCELLED" || status === "CLOSED_FLAT") return "good";
  if (status === "OPEN") return "warn";
  return "bad";
};

/** The instrument of an isolated pool's call; "" for a call of everything else of the account. */
const poolOf = ({ scope }) => (scope.startsWith("ISO#") ? scope.slice(4) : "");

const LISTS = {
  calls: {
    columns: ["Deadline (UTC)", "Call", "Account", "State", "!Outstanding"],
    rows: () => [...store.calls.values()].sort((a, b) => b.change - a.change),
    key: (line) => line.call.callId,
    words: ({ call, accountId, brokerId, event }) =>
      `${call.callId} ${accountId} ${brokerId} ${call.status} ${event} ${call.scope} ${call.boundBy ?? ""}`,
    cells: ({ call, accountId }) => [
      { text: shortly(call.deadlineAt), as: "time" },
      { text: call.callId, open: true },
      { text: [accountId, poolOf(call)].filter(Boolean).join(", pool ") },
      { text: stateOf(call), as: toneOf(call.status) },
      { text: `${rounded(call.outstanding)} ${call.asset}`, as: "number" },
    ],
    show: (line) => showCall(line),
  },
  inbox: {
    columns: ["Sent (UTC)", "To", "Subject"],
    rows: () => [...store.emails].reverse(),
    key: (email) => email.number,
    words: ({ to, subject }) => `${to} ${subject}`,
    cells: ({ at: sentAt, to, subject }) => [{ text: shortly(sentAt), as: "time" }, { text: to }, { text: subject, open: true }],
    show: (email) => showEmail(email),
  },
  webhooks: {
    columns: ["Received (UTC)", "Endpoint", "Event", "Account", "!Sequence", "Signature"],
    rows: () => [...store.deliveries].reverse(),
    key: (delivery) => delivery.number,
    words: (one) => `${one.endpointId} ${one.type} ${one.accountId} ${one.callId ?? ""} ${one.verified ? "verified" : one.reason}`,
    cells: (one) => [
      { text: shortly(one.receivedAt), as: "time" },
      { text: one.endpointId },
      { text: one.type, open: true },
      { text: one.accountId },
      { text: one.sequence === null ? "" : `${one.sequence} after ${one.previousSequence ?? "none"}`, as: "number" },
      { text: one.verified ? (one.repeated ? "verified, again" : "verified") : one.reason, as: one.verified ? "good" : "bad" },
    ],
    show: (delivery) => showDelivery(delivery),
  },
};

const terms = (pairs) =>
  make(
    "dl",
    {},
    ...pairs
      .filter(([, value]) => value !== "" && value !== null && value !== undefined)
      .flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]),
  );

const cureWords = (cure, pool) => {
  if (cure.kind !== "deposit") return `${cure.side} ${cure.quantity} ${cure.instrumentId}`;
  return pool === "" ? `deposit ${cure.amount} ${cure.asset}` : `move ${cure.amount} ${cure.asset} into the pool`;
};

const orderWords = ({ side, quantity, instrumentId, filled, fillPrice, limitPrice }) =>
  fillPrice === null
    ? `${side} ${quantity} ${instrumentId}, limit ${limitPrice}`
    : `${side} ${quantity} ${instrumentId} filled at ${fillPrice}, ${filled} so far`;

const figureWords = ({ equity, initialRequirement, maintenanceRequirement }) =>
  `equity ${rounded(equity)}, initial ${rounded(initialRequirement)}, maintenance ${rounded(maintenanceRequirement)}`;

const eventLine = (event) =>
  make(
    "li",
    {},
    make("span", { class: "clock" }, `${utc(event.occurredAt)} `),
    make("strong", {}, event.type),
    make("div", {}, event.order === null ? "" : orderWords(event.order)),
    make("div", { class: "reason" }, [event.reason, event.level, event.figures && figureWords(event.figures)].filter(Boolean).join(" · ")),
  );

const showCall = async ({ call, accountId, brokerId, level }) => {
  const box = at("detail");
  const list = make("ol", {}, make("li", { class: "hint" }, "reading the timeline …"));
  box.replaceChildren(
    make("h2", {}, call.callId),
    terms([
      ["Account", `${accountId} (${brokerId}), ${level}`],
      ["Pool", poolOf(call)],
      ["State", stateOf(call)],
      ["Amount due", `${call.amountDue} ${call.asset}, of which met ${call.metAmount}`],
      ["Issued", `${utc(call.issuedAt)} UTC`],
      ["Deadline", deadlineOf(call)],
      ["Bound by", call.boundBy],
      ["Ways to cure", call.cures.map((cure) => cureWords(cure, poolOf(call))).join("; or ")],
      ["Before it", call.previousCallId],
    ]),
    make("h2", {}, "Timeline"),
    list,
  );
  const reply = await fetch(`/calls/${accountId}/${call.callId}`);
  const body = await reply.json();
  if (view.chosen.calls !== call.callId) return;
  const events = body.timeline ?? [];
  list.replaceChildren(
    ...(events.length === 0 ? [make("li", {}, reply.ok ? "nothing yet" : "cannot be read now")] : events.map(eventLine)),
  );
};

const readText = async (email, into) => into.replaceChildren(await (await fetch(`/inbox/${email.number}/text`)).text());

const showEmail = (email) => {
  const body =
    view.part === "html"
      ? make("iframe", { src: `/inbox/${email.number}/html`, sandbox: "", title: `Email: ${email.subject}` })
      : make("pre", {}, "reading …");
  if (view.part === "text") void readText(email, body);
  const part = (name, words) => {
    const button = make("button", { type: "button", "aria-pressed": String(view.part === name) }, words);
    button.addEventListener("click", () => {
      view.part = name;
      showEmail(email);
    });
    return button;
  };
  at("detail").replaceChildren(
    make("h2", {}, email.subject),
    terms([
      ["To", email.to],
      ["Sent", `${utc(email.at)} UTC`],
    ]),
    make("div", { class: "parts" }, part("html", "As shown"), part("text", "Plain text")),
    body,
  );
};

const showDelivery = (one) => {
  at("detail").replaceChildren(
    make("h2", {}, one.type || "unreadable"),
    terms([
      ["Endpoint", one.endpointId],
      ["webhook-id", one.webhookId],
      ["Received", `${utc(one.receivedAt)} UTC`],
      ["Account", one.accountId],
      ["Call", one.callId],
      ["Sequence", one.sequence],
      ["After", one.previousSequence],
      ["Signature", one.verified ? "verified with the endpoint's secret" : one.reason],
      ["Seen before", one.repeated ? "yes: ignored by its id" : "no"],
    ]),
  );
};

const cellOf = ({ text, open, as }, choose) => {
  const cell = make("td", as === undefined ? {} : { class: as });
  if (open) {
    const button = make("button", { type: "button", class: "open" }, text);
    button.addEventListener("click", choose);
    cell.append(button);
  } else cell.append(text);
  return cell;
};

/** The head of a column; one that begins with "!" holds figures. */
const headCell = (name) => make("th", { scope: "col", ...(name.startsWith("!") && { class: "number" }) }, name.replace("!", ""));

const chooseRow = (row) => {
  const list = LISTS[view.tab];
  view.chosen[view.tab] = list.key(row);
  history.replaceState(null, "", `#${view.tab}/${list.key(row)}`);
  drawList();
  void list.show(row);
};

const drawList = () => {
  const list = LISTS[view.tab];
  const wanted = at("filter").value.trim().toLowerCase();
  const rows = list.rows().filter((row) => wanted === "" || list.words(row).toLowerCase().includes(wanted));
  const focused = document.activeElement?.closest("tr")?.dataset.key;
  at("head").replaceChildren(make("tr", {}, ...list.columns.map(headCell)));
  at("rows").replaceChildren(
    ...rows.slice(0, ROWS_SHOWN).map((row) => {
      const key = String(list.key(row));
      const chosen = String(view.chosen[view.tab]) === key;
      return make(
        "tr",
        { "data-key": key, ...(chosen && { class: "chosen" }) },
        ...list.cells(row).map((cell) => cellOf(cell, () => chooseRow(row))),
      );
    }),
  );
  if (focused !== undefined)
    at("rows")
      .querySelector(`tr[data-key="${CSS.escape(focused)}"] button`)
      ?.focus();
  at("shown").textContent = rows.length > ROWS_SHOWN ? `newest ${ROWS_SHOWN} of ${rows.length}` : `${rows.length} shown, newest first`;
};

const drawHead = (state) => {
  at("source").textContent = state.source;
  at("clock").textContent = `${utc(state.now)} UTC`;
  at("progress").value = state.share;
  at("running").textContent = state.running ? `playing, ${Math.floor(state.share * 100)} %` : "the replay has ended";
  at("count-calls").textContent = state.totals.calls;
  at("count-inbox").textContent = state.totals.emails;
  at("count-webhooks").textContent = state.totals.deliveries;
};

/** Shows the row that the page's address names, as soon as it is there. */
const showAsked = () => {
  if (view.asked === null) return;
  const list = LISTS[view.tab];
  const row = list.rows().find((one) => String(list.key(one)) === view.asked);
  if (row === undefined) return;
  view.asked = null;
  chooseRow(row);
};

/** Asks for what is new. @returns true when the answer was full and there is more. */
const poll = async () => {
  const query = `emails=${store.emails.length}&deliveries=${store.deliveries.length}&calls=${store.callsCursor}`;
  const state = await (await fetch(`/state?${query}`)).json();
  store.emails.push(...state.emails);
  store.deliveries.push(...state.deliveries);
  for (const line of state.calls) store.calls.set(line.call.callId, line);
  store.callsCursor = state.callsCursor;
  store.totals = state.totals;
  drawHead(state);
  if (state.emails.length + state.deliveries.length + state.calls.length > 0) drawList();
  showAsked();
  const more = store.emails.length < state.totals.emails || store.deliveries.length < state.totals.deliveries;
  return { more, running: state.running };
};

const loop = async () => {
  let waitMs = POLL_MS;
  try {
    const { more, running } = await poll();
    waitMs = more ? 0 : running ? POLL_MS : REST_MS;
  } catch {
    at("running").textContent = "the replay is not running any more";
    waitMs = REST_MS;
  }
  setTimeout(loop, waitMs);
};

const choose = (name) => {
  view.tab = name;
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  at("panel").setAttribute("aria-labelledby", `tab-${name}`);
  history.replaceState(null, "", `#${name}`);
  at("detail").replaceChildren(make("p", { class: "hint" }, "Choose a row to see it."));
  drawList();
};

const TABS = Object.keys(LISTS);
for (const [index, name] of TABS.entries()) {
  const tab = at(`tab-${name}`);
  tab.addEventListener("click", () => choose(name));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: TABS.length - 1 }[event.key];
    if (step === undefined) return;
    const next = TABS[(index + step) % TABS.length];
    choose(next);
    at(`tab-${next}`).focus();
  });
}
at("filter").addEventListener("input", drawList);
const [askedTab, askedKey] = location.hash.slice(1).split("/");
choose(TABS.find((name) => askedTab === name) ?? view.tab);
view.asked = askedKey ?? null;
void loop();
