/**
 * The address that an interface gives itself as soon as it speaks IPv6: made of its MAC (RFC 4291, appendix A), so nobody but
 * whoever may change the interface can have another. Docker does not tell it.
 */
export function linkLocalOf(mac: string): string {
  const [a, b, c, d, e, f] = mac.split(':').map((byte) => Number.parseInt(byte, 16)) as [number, ...number[]]
  const bytes = [a ^ 0x02, b!, c!, 0xff, 0xfe, d!, e!, f!].map((byte) => byte.toString(16).padStart(2, '0'))
  return `fe80::${bytes.join('').match(/.{4}/g)!.join(':')}`
}
