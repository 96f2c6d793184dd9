import { isIPv6 } from 'node:net'

/**
 * What limits and known places go by: an IPv4 address itself, or the /64 of an IPv6 one, which a single
 * customer has whole (RFC 6177). `ip` is an address as Node or a trusted proxy gives it.
 */
export function networkOf(ip: string): string {
  const address = unwrapped(ip)
  if (!isIPv6(address)) return address
  const groups = groupsOf(address).slice(0, 4)
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`
}

/**
 * The IPv4 address inside an IPv6 one that stands for it, in any spelling: mapped (RFC 4291) and
 * translated (RFC 6052). Whole countries would share one /64 else. Other addresses as they are.
 */
export function unwrapped(ip: string): string {
  if (!isIPv6(ip)) return ip
  const groups = groupsOf(ip)
  const [high = 0, low = 0] = groups.slice(6)
  const wrap = groups.slice(0, 6).join(':')
  if (wrap !== MAPPED && wrap !== TRANSLATED) return ip
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** ::ffff:0:0/96, in decimal. */
const MAPPED = [0, 0, 0, 0, 0, 0xffff].join(':')
/** 64:ff9b::/96, in decimal. */
const TRANSLATED = [0x64, 0xff9b, 0, 0, 0, 0].join(':')

/** The eight groups of an IPv6 address; `::` stands for as many zeros as are missing. */
function groupsOf(ip: string): number[] {
  const [head = '', tail] = ip.split('%', 1)[0]?.split('::') ?? []
  const left = partsOf(head)
  const right = partsOf(tail)
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}

/** A dotted IPv4 at the end takes two groups. */
function partsOf(text = ''): number[] {
  if (text === '') return []
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}
