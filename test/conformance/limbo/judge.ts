import type { Refusal } from '#handshake';
import {
  checkReferenceName,
  createWebRoots,
  decodePemBlocks,
  parseReferenceHost,
  parseReferenceMailbox,
  parseRevocationList,
  type ReferenceName,
  type RevocationList,
  type VerifiedHost,
  verifyWebChain,
} from '#identity/path';
import type { LimboCase, LimboName, LimboResult } from './suite.ts';

/**
 * Judges one case as a client of the web would: profile `webpki`, the role and the time that the case names. `now` is
 * for cases without a time, in milliseconds since the Unix epoch.
 */
export function judge(test: LimboCase, now: number): LimboResult {
  const answer = (actual_result: LimboResult['actual_result'], context: string): LimboResult => ({
    id: test.id,
    actual_result,
    context,
  });
  if (test.features.includes(NOT_OF_THE_WEB))
    return answer('SKIPPED', 'the case forbids what CABF-BR allows the web');
  const lists: RevocationList[] = [];
  for (const der of test.crls.flatMap((pem) => blocks('X509 CRL', pem))) {
    const list = parseRevocationList(der);
    // A list that nobody can read may be the one that names this certificate.
    if (!list.ok) return answer('FAILURE', `a revocation list cannot be read: ${list.error.what}`);
    lists.push(list.value);
  }
  const verdict = verifyWebChain(
    {
      role: test.validation_kind === 'SERVER' ? 'server' : 'client',
      chain: ders([test.peer_certificate, ...test.untrusted_intermediates]),
    },
    {
      roots: createWebRoots(ders(test.trusted_certs)),
      time: test.validation_time === null ? now : Date.parse(test.validation_time),
      // A case's lists are all that exist: none for an issuer says nothing, and one of another time is no good.
      revocation: { listsOf: () => lists, missing: 'accept', stale: 'refuse' },
      ...(test.max_chain_depth === null ? {} : { mostIntermediates: test.max_chain_depth }),
    },
  );
  const refusal = verdict.ok ? mismatch(verdict.value, test) : verdict.error;
  if (refusal !== undefined) return answer('FAILURE', `${refusal.reason.code}: ${refusal.detail}`);
  if (test.features.includes(PUBLIC_SUFFIX)) {
    return answer('SKIPPED', 'which suffixes are public only a list could say, and none is shipped');
  }
  return answer('SUCCESS', 'accepted');
}

const PUBLIC_SUFFIX = 'pedantic-public-suffix-wildcard';
const NOT_OF_THE_WEB = 'rfc5280-incompatible-with-webpki';

/** A case that names nobody is about the chain alone. */
function mismatch({ leaf }: VerifiedHost, test: LimboCase): Refusal | undefined {
  const names = test.expected_peer_name === null ? test.expected_peer_names : [test.expected_peer_name];
  for (const name of names) {
    const refusal = checkReferenceName(leaf, reference(name));
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function reference({ kind, value }: LimboName): ReferenceName {
  const name = kind === 'RFC822' ? parseReferenceMailbox(value) : parseReferenceHost(value);
  if (!name.ok) throw new Error(`${kind} name of a case: ${name.error}`);
  return name.value;
}

function ders(pems: readonly string[]): readonly Uint8Array[] {
  return pems.flatMap((pem) => blocks('CERTIFICATE', pem));
}

function blocks(label: string, pem: string): readonly Uint8Array[] {
  const decoded = decodePemBlocks(label, pem);
  if (!decoded.ok) throw new Error(`${label} of a case: ${decoded.error}`);
  return decoded.value;
}
