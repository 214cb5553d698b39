/**
 * An IPv4 peer of a dual-stack socket shows as ::ffff:a.b.c.d (RFC 4291 2.5.5.2); policies and people mean a.b.c.d.
 * Undefined, as of a socket that is gone, is empty.
 */
export function plainAddress(address: string | undefined): string {
  const mapped = address?.match(/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i)?.[1];
  return mapped ?? address ?? '';
}
