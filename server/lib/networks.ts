import { BlockList, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * The network that limits and known places go by: an IPv4 address itself, or the /64 of an IPv6 one,
 * which a single customer has whole (RFC 6177). `ip` is an address as Node or a trusted proxy gives it.
 */
export function networkOf(ip: string): string {
  const address = unwrapped(ip)
  if (!isIPv6(address)) return address
  const groups = ipaddr.IPv6.parse(address).parts.slice(0, 4)
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`
}

/**
 * The IPv4 address inside an IPv6 one that stands for it, in any spelling: mapped (RFC 4291) and
 * translated (RFC 6052). Otherwise whole countries would share one /64. Other addresses as they are.
 */
export function unwrapped(ip: string): string {
  if (!isIPv6(ip) || !WRAPPING.check(ip, 'ipv6')) return ip
  return ipaddr.IPv6.parse(ip).toByteArray().slice(12).join('.')
}

/** The addresses of CIDR ranges. Throws for a text that is no range. */
export function rangesOf(cidrs: readonly string[]): BlockList {
  const ranges = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', prefix] = cidr.split('/')
    ranges.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4')
  }
  return ranges
}

const WRAPPING = rangesOf(['::ffff:0:0/96', '64:ff9b::/96'])
