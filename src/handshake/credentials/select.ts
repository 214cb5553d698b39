import { equal } from '#runtime';
import { bestWeakness, WEAK_SCHEMES } from '../legacy/weaknesses.ts';
import { chooseScheme } from '../negotiate.ts';
import { fail } from '../reasons.ts';
import type { SchemeName } from '../schemes.ts';
import type { Credential } from './signer.ts';

/** What a peer lets us choose by. */
export interface PeerWishes {
  readonly schemes: readonly number[];
  /** certificate_authorities: DER Names. Undefined: it names none. */
  readonly authorities: readonly Uint8Array[] | undefined;
  /** Lower case; undefined for a server that chooses nothing by it, and for clients. */
  readonly serverName: string | undefined;
}

export interface Selected {
  readonly credential: Credential;
  readonly scheme: SchemeName;
}

/**
 * RFC 8446 4.4.2.2 and 4.4.2.3: the first of our credentials that suits the peer, those for the very name that it asks
 * for before those for any. None fits: the connection ends with what came closest, for who has an identity and cannot
 * show it must not appear as somebody without one.
 */
export function selectCredential(credentials: readonly Credential[], wishes: PeerWishes): Selected {
  const named = byServerName(credentials, wishes.serverName);
  if (named.length === 0) fail('server-name-mismatch', `asked for ${wishes.serverName ?? 'none'}`);
  const trusted = named.filter((credential) => isIssuedBy(credential, wishes.authorities));
  if (trusted.length === 0) {
    fail('no-matching-issuer', `the peer names ${wishes.authorities?.length ?? 0} authorities`);
  }
  for (const credential of trusted) {
    const scheme = chooseScheme(credential.signer.schemes, wishes.schemes);
    if (scheme !== undefined) return { credential, scheme };
  }
  const weak = bestWeakness(WEAK_SCHEMES, wishes.schemes);
  const code = weak === undefined ? 'no-common-scheme' : (`${weak}-offered` as const);
  return fail(code, `offered ${wishes.schemes.slice(0, LISTED).map(hex).join(' ')}`);
}

const LISTED = 24;

function byServerName(credentials: readonly Credential[], name: string | undefined): readonly Credential[] {
  const exact = credentials.filter(
    ({ serverNames }) => name !== undefined && serverNames?.some((pattern) => matches(pattern, name)),
  );
  return [...exact, ...credentials.filter(({ serverNames }) => serverNames === undefined)];
}

/** RFC 6125 6.4.3: the wildcard is the whole leftmost label, and one label only. */
function matches(pattern: string, name: string): boolean {
  const lower = pattern.toLowerCase();
  if (!lower.startsWith('*.')) return lower === name;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === lower.slice(1);
}

function isIssuedBy({ issuers }: Credential, authorities: readonly Uint8Array[] | undefined): boolean {
  if (issuers === undefined) return true;
  return issuers.some((issuer) => authorities?.some((authority) => equal(authority, issuer)));
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}
