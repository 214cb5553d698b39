import { type GroupName, GROUPS, isPostQuantum } from './groups.ts';
import { type SchemeName, SCHEMES } from './schemes.ts';
import { type SuiteName, suiteName, SUITES } from './suites.ts';

/**
 * Our own order decides: the first of ours that the peer offered. But a client that puts ChaCha20 first has no hardware
 * for AES, and pays more for it than we do for ChaCha20: it gets what it asks for, if we have it.
 */
export function chooseSuite(ours: readonly SuiteName[], offered: readonly number[]): SuiteName | undefined {
  const known = offered.find((id) => suiteName(id) !== undefined);
  const wanted = 'TLS_CHACHA20_POLY1305_SHA256';
  if (known === SUITES[wanted].id && ours.includes(wanted)) return wanted;
  return ours.find((name) => offered.includes(SUITES[name].id));
}

export function chooseScheme(
  ours: readonly SchemeName[],
  offered: readonly number[],
): SchemeName | undefined {
  return ours.find((name) => offered.includes(SCHEMES[name].id));
}

/**
 * A group safe from quantum computers comes before all others, even for the price of a retry: whoever on the path
 * could take away a share must not choose the weaker group with it. Within a class, RFC 8446 4.2.8: a group the client
 * sent a share for saves a round trip, so the best of those comes first; without one, the best of what it supports.
 */
export function chooseGroup(
  ours: readonly GroupName[],
  supported: readonly number[],
  shared: readonly number[],
): { readonly group: GroupName; readonly retry: boolean } | undefined {
  const common = ours.filter((name) => supported.includes(GROUPS[name].id));
  const safe = common.filter(isPostQuantum);
  const candidates = safe.length > 0 ? safe : common;
  const withShare = candidates.find((name) => shared.includes(GROUPS[name].id));
  if (withShare !== undefined) return { group: withShare, retry: false };
  const [best] = candidates;
  return best === undefined ? undefined : { group: best, retry: true };
}
