import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { isPublicAddress, refuseUrl } from "../../../adapters/webhook/addresses.ts";

const FORBIDDEN_V4 = [
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "100.64.0.1",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.8",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.1.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.7",
  "203.0.113.9",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
];
const FORBIDDEN_V6 = [
  "::",
  "::1",
  "::7f00:1",
  "::5efe:7f00:1",
  "::ffff:7f00:1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "::ffff:0:7f00:1",
  "64:ff9b::7f00:1",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1::a00:1",
  "64:ff9b:1::808:808",
  "100::1",
  "2001::1",
  "2001:0:7f00:1::",
  "2001:2::1",
  "2001:10::1",
  "2001:1ff::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "2002:a9fe:a9fe::1",
  "3fff::1",
  "3fff:fff::1",
  "4000::1",
  "5f00::1",
  "fc00::1",
  "fd00:ec2::254",
  "fe80::1",
  "fe80::1%lo",
  "fec0::1",
  "ff02::1",
];
const PUBLIC = [
  "8.8.8.8",
  "1.1.1.1",
  "93.184.215.14",
  "172.32.0.1",
  "100.128.0.1",
  "2606:4700::1111",
  "2a00:1450:4001::1",
  "64:ff9b::808:808",
];

describe("N3 addresses", () => {
  test.each(FORBIDDEN_V4)("N3 refuses %s", (address) => expect(isPublicAddress(address)).toBe(false));
  test.each(FORBIDDEN_V6)("N3 refuses %s", (address) => expect(isPublicAddress(address)).toBe(false));
  test.each(PUBLIC)("N3 allows %s", (address) => expect(isPublicAddress(address)).toBe(true));
  test.each(["", "example.com", "1.2.3", "0x7f.0.0.1", "::g", "[::1]"])("N3 what is no address is not public: %j", (text) => {
    expect(isPublicAddress(text)).toBe(false);
  });

  test("N3 every address of ::/8 but NAT64 of a public one is refused", async () => {
    await fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 7, maxLength: 7 }),
        fc.integer({ min: 0, max: 0xff }),
        (rest, first) => {
          const address = [first, ...rest].map((word) => word.toString(16)).join(":");
          const nat64 = first === 0x64 && rest[0] === 0xff9b && rest.slice(1, 5).every((word) => word === 0);
          return nat64 || !isPublicAddress(address);
        },
      ),
    );
  });
});

describe("N3 URLs", () => {
  test.each([
    ["http://example.com/hook", "not https"],
    ["ftp://example.com/", "not https"],
    ["file:///etc/passwd", "not https"],
    ["gopher://example.com/", "not https"],
    ["data:text/plain,x", "not https"],
    ["unix:/var/run/docker.sock", "not https"],
    ["javascript:alert(1)", "not https"],
    ["not a url", "not a URL"],
    ["//example.com/", "not a URL"],
    ["https://", "not a URL"],
    ["https://[fe80::1%25lo]/", "not a URL"],
    ["https://user@example.com/", "carries credentials"],
    ["https://user:secret@example.com/", "carries credentials"],
    ["https://example.com:22/", "port not allowed"],
    ["https://example.com:25/", "port not allowed"],
    ["https://example.com:80/", "port not allowed"],
    ["https://example.com:6379/", "port not allowed"],
    ["https://example.com:9001/", "port not allowed"],
    ["https://127.0.0.1/", "host is an address, not a name"],
    ["https://127.1/", "host is an address, not a name"],
    ["https://0x7f.1/", "host is an address, not a name"],
    ["https://2130706433/", "host is an address, not a name"],
    ["https://017700000001/", "host is an address, not a name"],
    ["https://0/", "host is an address, not a name"],
    ["https://①②⑦.0.0.1/", "host is an address, not a name"],
    ["https://１２７.０.０.１/", "host is an address, not a name"],
    ["https://169.254.169.254/latest/meta-data/", "host is an address, not a name"],
    ["https://8.8.8.8/", "host is an address, not a name"],
    ["https://[::1]/", "host is an address, not a name"],
    ["https://[::ffff:127.0.0.1]/", "host is an address, not a name"],
    ["https://[::7f00:1]/", "host is an address, not a name"],
    ["https://[64:ff9b::a9fe:a9fe]/", "host is an address, not a name"],
    ["https://[2002:7f00:1::]/", "host is an address, not a name"],
    ["https://[fd00:ec2::254]/", "host is an address, not a name"],
    ["https://localhost/", "host is not a public name"],
    ["https://localhost./", "host is not a public name"],
    ["https://example.com./", "host is not a public name"],
    ["https://metadata/", "host is not a public name"],
    ["https://ex_ample.com/", "host is not a public name"],
    ["https://-example.com/", "host is not a public name"],
    [`https://${"a".repeat(64)}.com/`, "host is not a public name"],
    [`https://${"a.".repeat(127)}com/`, "host is not a public name"],
    [`https://example.com/${"a".repeat(2_048)}`, "longer than 2,048 characters"],
  ])("N3 refuses %s", (url, reason) => expect(refuseUrl(url, "never")).toBe(reason));

  test.each([
    "https://example.com/hook",
    "https://hooks.example.co.uk:8443/a?b=c",
    "https://EXAMPLE.com:443",
    "https://ⓔxample.com/",
    "https://xn--bcher-kva.example/",
  ])("N3 allows %s", (url) => expect(refuseUrl(url, "never")).toBeNull());

  test("N3 loopback over http is for the local cloud alone, and there only 127.0.0.1", () => {
    expect(refuseUrl("http://127.0.0.1:8080/hook", "never")).toBe("not https");
    expect(refuseUrl("http://127.0.0.1:8080/hook", "local")).toBeNull();
    expect(refuseUrl("http://127.0.0.2:8080/hook", "local")).toBe("not https");
    expect(refuseUrl("http://localhost:8080/hook", "local")).toBe("not https");
    expect(refuseUrl("http://[::1]:8080/hook", "local")).toBe("not https");
    expect(refuseUrl("http://a:b@127.0.0.1:8080/hook", "local")).toBe("not https");
    expect(refuseUrl("https://127.0.0.1/hook", "local")).toBe("host is an address, not a name");
  });
});
