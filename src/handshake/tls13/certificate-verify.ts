import { concat, fromAscii } from '#runtime';
import type { CryptoProvider } from '../crypto/provider.ts';
import { WEAK_SCHEMES, weaknessOf } from '../legacy/weaknesses.ts';
import type { CertificateVerify } from '../messages/certificate-verify.ts';
import { fail } from '../reasons.ts';
import { isCertificateOnly, SCHEMES, type SchemeName, schemeName } from '../schemes.ts';
import type { VerifiedPeer } from '../verify/peer-verifier.ts';
import type { ChainVerified } from '../verify/verdict.ts';

class PeerProof<Peer extends VerifiedPeer> {
  readonly #peer: Peer;
  readonly #scheme: SchemeName;

  constructor(peer: Peer, scheme: SchemeName) {
    this.#peer = peer;
    this.#scheme = scheme;
  }

  get peer(): Peer {
    return this.#peer;
  }

  get scheme(): SchemeName {
    return this.#scheme;
  }
}

/** Evidence that the peer's chain was believed and that the peer holds the leaf's key. */
export type PeerVerified<Peer extends VerifiedPeer> = PeerProof<Peer>;

/** RFC 8446 4.4.3: what is signed: 64 spaces, a context string, a zero byte, the transcript hash. */
export function signedContent(signer: 'client' | 'server', transcriptHash: Uint8Array): Uint8Array {
  return concat(CONTEXTS[signer], transcriptHash);
}

const CONTEXTS = { client: context('client'), server: context('server') } as const;

function context(signer: 'client' | 'server'): Uint8Array {
  return fromAscii(`${' '.repeat(64)}TLS 1.3, ${signer} CertificateVerify\0`);
}

/** RFC 8446 4.4.3, the receiver's side. `offered` is what we put into signature_algorithms. */
export function checkCertificateVerify<Peer extends VerifiedPeer>(
  crypto: CryptoProvider,
  chain: ChainVerified<Peer>,
  offered: readonly SchemeName[],
  signer: 'client' | 'server',
  transcriptHash: Uint8Array,
  message: CertificateVerify,
): PeerVerified<Peer> {
  // RFC 8446 4.2.3: RSASSA-PKCS1-v1_5 is "not defined for use in signed TLS handshake messages", even where it was
  // offered for certificates.
  if (isCertificateOnly(message.scheme)) fail('certificate-only-scheme', hex(message.scheme));
  const weak = weaknessOf(WEAK_SCHEMES, message.scheme);
  if (weak !== undefined) fail(`${weak}-chosen`, hex(message.scheme));
  const scheme = schemeName(message.scheme);
  // "the signature algorithm MUST be one offered" (by us): CVE-2022-25638 is what happens without this line.
  if (scheme === undefined || !offered.includes(scheme)) fail('unoffered-scheme', hex(message.scheme));
  const { peer } = chain;
  if (SCHEMES[scheme].key !== peer.keyType)
    fail('scheme-key-mismatch', `${scheme} with a key of ${peer.keyType}`);
  const content = signedContent(signer, transcriptHash);
  if (!crypto.verify(scheme, peer.publicKey, content, message.signature)) {
    fail('incorrect-signature', `${scheme}, ${peer.identity}, serial ${peer.serial}`);
  }
  chain.proved();
  return new PeerProof(peer, scheme);
}

function hex(scheme: number): string {
  return `scheme 0x${scheme.toString(16).padStart(4, '0')}`;
}
