import { BlockList, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * The network of an address, for limits and known networks: an IPv4 address itself, or the /64 of an
 * IPv6 address, because one customer has at least a /64 (RFC 6177). `prefix` names a wider one.
 */
export function networkOf(ip: string, prefix: 64 | 56 | 48 = 64): string {
  const address = unwrapped(ip)
  if (!address.includes(':')) return address
  const groups = ipaddr.IPv6.parse(address).parts.slice(0, 4)
  // The last of them ends at 64 bits.
  groups[3] = (groups[3] ?? 0) & (0xffff << (64 - prefix))
  return `${groups.map((group) => group.toString(16)).join(':')}::/${prefix}`
}

/** The /56 and the /48 around an IPv6 network of `networkOf`; none around an IPv4 address. */
export function networksAround(network: string): string[] {
  const [ip = '', prefix] = network.split('/')
  return prefix === undefined ? [] : [networkOf(ip, 56), networkOf(ip, 48)]
}

/** The network as a key; requests without an address, as from a proxy that sends none, share one. */
export function networkKey(ip: string | null, prefix: 64 | 56 | 48 = 64): string {
  return ip === null ? 'unknown' : networkOf(ip, prefix)
}

/**
 * Converts IPv4-mapped (RFC 4291) and IPv4-translated (RFC 6052) addresses to IPv4; without this all
 * clients of a NAT64 would share one /64. Returns other addresses unchanged.
 */
export function unwrapped(ip: string): string {
  // Most addresses are IPv4, and Node's `isIPv6` matches a long pattern.
  if (!ip.includes(':') || !isIPv6(ip) || !WRAPPING.check(ip, 'ipv6')) return ip
  return ipaddr.IPv6.parse(ip).toByteArray().slice(12).join('.')
}

/** Parses CIDR ranges; throws for an invalid one. */
export function rangesOf(cidrs: readonly string[]): BlockList {
  const ranges = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', prefix] = cidr.split('/')
    ranges.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4')
  }
  return ranges
}

const WRAPPING = rangesOf(['::ffff:0:0/96', '64:ff9b::/96'])
