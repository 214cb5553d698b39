import { X509Certificate } from 'node:crypto';
import { err, ok, type Result } from '#runtime';
import type { KeyType, PeerVerifier, PresentedChain, Refusal, VerifiedPeer } from '#handshake';
import { maySign } from './der.ts';
import type { Options } from './flags.ts';
import type { Memory } from './memory.ts';
import { SHIM_REASONS } from './reasons.ts';

/** What a connection of a case learns beside what the engine reports. */
export interface Seen {
  chain?: readonly Uint8Array[];
  ocspResponse?: Uint8Array;
  /** As the runner counts them: -1 is the default one. */
  selectedCredential?: number;
  /** What the verifier said, where a case lets a connection go on whatever it says. */
  verification?: 'passed' | 'failed';
}

/**
 * Believes any certificate whose key the engine can use, unless the case says otherwise. `options` is asked each time:
 * after refused early data a case may expect something else.
 */
export function verifierOf(options: () => Options, seen: Seen, memory: Memory): PeerVerifier {
  const judge = (presented: PresentedChain): Result<VerifiedPeer, Refusal> => {
    seen.chain = presented.chain;
    if (presented.ocspResponse !== undefined) seen.ocspResponse = presented.ocspResponse;
    seen.verification = options().has('verify-fail') ? 'failed' : 'passed';
    if (seen.verification === 'failed' && !isAdvisory(options())) {
      const custom = options().has('use-custom-verify-callback');
      return refuse(
        custom ? 'certificate-refused-by-callback' : 'certificate-refused',
        'the case asks for it',
      );
    }
    if (options().has('fail-ocsp-callback')) return refuse('ocsp-refused', 'the case asks for it');
    const peer = readPeer(presented.chain[0]!);
    if (!peer.ok && peer.error.detail === NO_ML_DSA) memory.unimplemented = NO_ML_DSA;
    return peer;
  };
  return {
    verify: (presented) => (options().has('async') ? Promise.resolve(judge(presented)) : judge(presented)),
  };
}

/** BoringSSL asks its verifier also where nobody demands a certificate, keeps the answer, and goes on. */
function isAdvisory(options: Options): boolean {
  return !options.has('verify-peer') && !options.has('require-any-client-certificate');
}

export const NO_ML_DSA = 'ML-DSA is not offered';

function readPeer(der: Uint8Array): Result<VerifiedPeer, Refusal> {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    return refuse('certificate-unreadable', 'not DER');
  }
  const { publicKey } = certificate;
  if (publicKey.asymmetricKeyType?.startsWith('ml-dsa')) return refuse('certificate-unusable', NO_ML_DSA);
  if (!maySign(certificate.raw)) return refuse('key-usage-forbids', '');
  const keyType = keyTypeOf(publicKey.asymmetricKeyType, publicKey.asymmetricKeyDetails?.namedCurve);
  if (keyType === undefined) return refuse('certificate-unusable', publicKey.asymmetricKeyType ?? '');
  return ok({
    publicKey: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    keyType,
    identity: certificate.subject,
    serial: certificate.serialNumber.toLowerCase(),
    notAfter: certificate.validToDate.getTime(),
  });
}

function keyTypeOf(type: string | undefined, curve: string | undefined): KeyType | undefined {
  if (type === 'ec')
    return curve === 'prime256v1' ? 'ec-p256' : curve === 'secp384r1' ? 'ec-p384' : undefined;
  return type === 'rsa' || type === 'ed25519' ? type : undefined;
}

function refuse(code: keyof typeof SHIM_REASONS, detail: string): Result<VerifiedPeer, Refusal> {
  return err({ reason: SHIM_REASONS[code], detail });
}
