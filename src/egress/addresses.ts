import { lookup } from "node:dns/promises";
import { BlockList, isIPv4 } from "node:net";

import { AppError } from "#core/errors.ts";
import { trustOf } from "#core/trust.ts";

/** An address of a host. */
export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Gives all addresses of a name; rejects as the system's own resolver does. */
export type Resolve = (hostname: string) => Promise<readonly Address[]>;

/** The system's resolver. */
export const systemResolve: Resolve = async (hostname) => {
  const found = await lookup(hostname, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};

/** Addresses that are no host of the internet (IANA special-purpose registries, RFC 6890, and multicast). */
const specialV4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const;

const specialV6 = [
  ["::", 128],
  ["::1", 128],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
] as const;

function createSpecial(): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of specialV4) list.addSubnet(net, prefix, "ipv4");
  for (const [net, prefix] of specialV6) list.addSubnet(net, prefix, "ipv6");
  return list;
}

/** An IPv4 address that is written as one of IPv6 (RFC 4291, 2.5.5.2) reads as what it is. */
function plain({ address, family }: Address): Address {
  const mapped = /^::ffff:(.+)$/i.exec(address)?.[1];
  return mapped !== undefined && isIPv4(mapped)
    ? { address: mapped, family: 4 }
    : { address, family };
}

const distance = { local: 0, lan: 1, cloud: 2 } as const;

/** Checks what names resolve to, so that a name goes no other way than it is trusted for. */
export interface Addresses {
  /** The addresses of a host that may be connected to; rejects with `door.unreachable`, which says why. */
  of(hostname: string): Promise<readonly Address[]>;
}

/**
 * Addresses by a resolver. A name that is trusted for its ending must be at home, and one of the internet must not: the answer of a
 * name server is no permission to reach this machine or the home network.
 */
export function createAddresses(resolve: Resolve): Addresses {
  const special = createSpecial();
  const isSpecial = ({ address, family }: Address): boolean =>
    special.check(address, family === 6 ? "ipv6" : "ipv4");
  return {
    async of(hostname) {
      const found = (await resolve(hostname)).map(plain);
      const trust = trustOf(hostname);
      const isFar = trust === "cloud";
      const fit = found.filter((one) =>
        isFar ? !isSpecial(one) : distance[trustOf(one.address)] <= distance[trust],
      );
      if (fit.length > 0) return fit;
      const [first] = found;
      const where = isFar ? "no address of the internet" : "an address that is further away";
      const problem =
        first === undefined ? "name not found" : `its name leads to ${where}, ${first.address}`;
      throw new AppError("door.unreachable", { host: hostname, problem });
    },
  };
}
