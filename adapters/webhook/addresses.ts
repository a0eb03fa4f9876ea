import { isIP } from "node:net";

import ipaddr from "ipaddr.js";

/**
 * IPv6 blocks inside global unicast (2000::/3) that lead somewhere else than to a public host (N3 rule 4):
 * tunnels carry an IPv4 address of the sender's choice, the rest is reserved. Everything outside
 * 2000::/3 is refused without a list, `::7f00:1` and `::ffff:7f00:1` with it: the library calls the first
 * of the two unicast, and filters that trusted it were walked around.
 */
const RESERVED_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].map((block) => ipaddr.IPv6.parseCIDR(block));
const GLOBAL_V6 = ipaddr.IPv6.parseCIDR("2000::/3");
/** NAT64: the last four bytes are an IPv4 address, and it is that one which is reached. */
const NAT64 = ipaddr.IPv6.parseCIDR("64:ff9b::/96");

/**
 * Whether an address belongs to the public internet, and so may receive a webhook (N3).
 *
 * @param address canonical text of an IPv4 or IPv6 address; anything else is not public.
 */
export const isPublicAddress = (address: string): boolean => {
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.range() === "unicast";
  if (parsed.match(NAT64)) return new ipaddr.IPv4(parsed.toByteArray().slice(12)).range() === "unicast";
  return parsed.match(GLOBAL_V6) && parsed.range() === "unicast" && !RESERVED_V6.some((block) => parsed.match(block));
};

/** Ports that a consumer may name (N3 rule 1). */
const PORTS = new Set(["", "443", "8443"]);
const URL_MAX = 2_048;
/** Dotted names in the form that DNS allows; at least two labels, the last not a number. */
const HOST = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Where loopback receivers are allowed: on the local cloud only. */
export type Loopback = "never" | "local";

const isLocalReceiver = (url: URL, loopback: Loopback): boolean =>
  loopback === "local" && url.protocol === "http:" && url.hostname === "127.0.0.1" && url.username === "" && url.password === "";

/**
 * Judges a URL that a consumer chose, before any look-up (N3 rule 1). `URL` has by then folded
 * `0x7f.1`, `2130706433`, `127.1` and full-width digits into dotted quads, which are refused as literals.
 *
 * @returns null when it may be dialled, else why not.
 */
export const refuseUrl = (text: string, loopback: Loopback): string | null => {
  if (text.length > URL_MAX) return "longer than 2,048 characters";
  if (!URL.canParse(text)) return "not a URL";
  const url = new URL(text);
  if (isLocalReceiver(url, loopback)) return null;
  if (url.protocol !== "https:") return "not https";
  if (url.username !== "" || url.password !== "") return "carries credentials";
  if (!PORTS.has(url.port)) return "port not allowed";
  if (url.hostname.startsWith("[") || ipaddr.isValid(url.hostname)) return "host is an address, not a name";
  if (!HOST.test(url.hostname)) return "host is not a public name";
  return null;
};
