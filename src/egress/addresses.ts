import { type LookupAddress, promises as dns } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

import { AppError } from "#core/errors.ts";
import { trustOf } from "#core/trust.ts";

/** What the door knows of the network; only tests have another than the machine's own. */
export interface Network {
  /** All addresses of a name. */
  readonly resolve: (hostname: string) => Promise<readonly LookupAddress[]>;
  /** Where an address that was checked is dialled: itself. */
  readonly dial: (address: LookupAddress) => LookupAddress;
}

/** The machine's own network. */
export const ownNetwork: Network = {
  resolve: (hostname) => dns.lookup(hostname, { all: true }),
  dial: (address) => address,
};

/**
 * Addresses that are not of one host on the internet: the IANA IPv4 special-purpose registry (RFC 6890) without its rows that are
 * reachable globally, and multicast (RFC 5771). Those for documentation (RFC 5737) are left out: they are no one's network, and where one
 * answers, this machine's own network was made to answer there for the internet, as closed machines are.
 */
const specialV4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const;

/** The same of IPv6, within the only range that is given out for the internet (RFC 4291, 2000::/3). */
const specialV6 = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const;

type Subnets = readonly (readonly [string, number])[];

function listOf(subnets: Subnets, family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of subnets) list.addSubnet(net, prefix, family);
  return list;
}

/** Tells whether an address is of one host on the internet. */
function createPublicCheck(): (address: string) => boolean {
  const v4 = listOf(specialV4, "ipv4");
  const v6 = listOf(specialV6, "ipv6");
  const given = listOf([["2000::", 3]], "ipv6");
  const mapped = listOf([["::ffff:0:0", 96]], "ipv6");
  // A network that has only IPv6 reaches an IPv4 host by an address that holds the other (RFC 6052).
  const translated = listOf([["64:ff9b::", 96]], "ipv6");
  const translatedV4 = listOf(
    specialV4.map(([net, prefix]) => [`64:ff9b::${net}`, 96 + prefix] as const),
    "ipv6",
  );
  return (address) => {
    const family = isIP(address);
    if (family === 4) return !v4.check(address, "ipv4");
    if (family !== 6) return false;
    // A list of IPv4 ranges knows the addresses that are mapped into IPv6.
    if (mapped.check(address, "ipv6")) return !v4.check(address, "ipv6");
    if (translated.check(address, "ipv6")) return !translatedV4.check(address, "ipv6");
    return given.check(address, "ipv6") && !v6.check(address, "ipv6");
  };
}

/** An address without the interface that a link-local one is tied to. */
function bare(address: string): string {
  return address.replace(/%.*$/, "");
}

/**
 * Checks an address that stands in the place of a name, which no lookup sees, by the same lists: throws `door.no-host` where it is
 * neither at home nor of one host on the internet, such as one that only holds another's (::ffff:127.0.0.1).
 */
export function createLiteralCheck(): (hostname: string) => void {
  const isPublic = createPublicCheck();
  return (hostname) => {
    const address = hostname.replace(/^\[|\]$/g, "");
    if (isIP(address) === 0 || trustOf(hostname) !== "cloud" || isPublic(address)) return;
    throw new AppError("door.no-host", { host: hostname });
  };
}

/** Of a name's addresses those that its ending promises; a router at home may also give a host one on the internet. */
function atHome(host: string, found: readonly LookupAddress[]): readonly LookupAddress[] {
  const promised = trustOf(host);
  const kept = found.filter(({ address }) => {
    const trust = trustOf(bare(address));
    return trust === "local" || (trust === "lan" && promised === "lan");
  });
  const [first] = found;
  if (kept.length > 0 || first === undefined) return kept;
  throw new AppError("door.not-home", { host, address: first.address });
}

type Answer = (error: Error | null, addresses: readonly LookupAddress[]) => void;

function noAddress(): Error {
  return Object.assign(new Error("the name has no address"), { code: "ENOTFOUND" });
}

/**
 * A lookup for connections: a name is resolved once, its addresses are checked against what the name may mean, and they alone are
 * dialled. One address that is not on the internet refuses a name that should be, for that is how a name is turned on its asker.
 */
export function createLookup({ resolve, dial }: Network): LookupFunction {
  const isPublic = createPublicCheck();

  async function addressesOf(host: string): Promise<readonly LookupAddress[]> {
    const found = await resolve(host);
    if (trustOf(host) !== "cloud") return atHome(host, found);
    const inside = found.find(({ address }) => !isPublic(bare(address)));
    if (inside === undefined) return found;
    throw new AppError("door.not-public", { host, address: inside.address });
  }

  async function answer(host: string, done: Answer): Promise<void> {
    let addresses: readonly LookupAddress[];
    try {
      addresses = (await addressesOf(host)).map(dial);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)), []);
      return;
    }
    done(addresses.length > 0 ? null : noAddress(), addresses);
  }

  return (host, { all }, done) => {
    void answer(host, (error, addresses) => {
      const [first] = addresses;
      if (error !== null || first === undefined || all === true) done(error, [...addresses]);
      else done(null, first.address, first.family);
    });
  };
}
