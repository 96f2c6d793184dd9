import { isIPv6 } from 'node:net'

/**
 * What limits and known places go by: an IPv4 address itself, or the /64 of an IPv6 one, which a single
 * customer has whole (RFC 6177). `ip` is an address as Node or a trusted proxy gives it.
 */
export function networkOf(ip: string): string {
  if (!isIPv6(ip)) return ip
  const [head = '', tail] = ip.split('%', 1)[0]?.split('::') ?? []
  const left = head === '' ? [] : head.split(':')
  // `::` stands for as many zeros as are missing; a dotted IPv4 at the end takes two groups.
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const rightSize = right.length + (tail?.includes('.') ? 1 : 0)
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - rightSize)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4)
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}
