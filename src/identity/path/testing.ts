import type { TrustBundle } from '../bundle.ts';
import { type AuthorityOptions, type LeafOptions, makeAuthority } from '../testing/index.ts';
import { verifySvid } from './verify-svid.ts';

export const NOW = Date.UTC(2026, 5, 1);
export const SECOND = 1000;
export const HOUR = 3600 * SECOND;
export const ID = 'spiffe://mesh.test/ns/shop/sa/web';
export const usual = makeAuthority({ now: NOW });

export function verify(
  chain: readonly Uint8Array[],
  bundle: TrustBundle = usual.bundle,
  time = NOW,
  role: 'client' | 'server' = 'server',
): string {
  const svid = verifySvid({ role, chain }, bundle, time);
  return svid.ok ? `ok ${svid.value.spiffeId.toString()} ${svid.value.path.length}` : svid.error.reason.code;
}

export function detailOf(chain: readonly Uint8Array[], time = NOW): string {
  const svid = verifySvid({ role: 'server', chain }, usual.bundle, time);
  return svid.ok ? 'accepted' : svid.error.detail;
}

export function judge(
  authority: AuthorityOptions,
  leaf: LeafOptions = {},
  role: 'client' | 'server' = 'server',
): string {
  const made = makeAuthority({ now: NOW, ...authority });
  return verify(made.makeLeaf({ spiffeId: ID, ...leaf }).chain, made.bundle, NOW, role);
}
