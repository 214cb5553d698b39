import { X509Certificate } from 'node:crypto';
import type { Credential, PeerVerifier } from '#handshake';
import { nodeSigner } from '#handshake/crypto';
import {
  type LeafOptions,
  makeAuthority,
  makeIssuer,
  makeKeys,
  makeLeaf,
  type TestAuthority,
} from '#identity/testing';
import { EMPTY, ok } from '#runtime';

const HOUR = 3_600_000;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** Its root is believed by the mesh: what is wrong with its leaves is what the case says, and nothing else. */
export const believed: TestAuthority = makeAuthority();
/** Not believed by anybody, though it calls itself the same. */
const stranger = makeAuthority();
/** Under the believed root too, but without the constraint to the mesh's own names. */
const unconstrained = makeIssuer({ commonName: 'unconstrained' }, believed.root);

export interface WrongCertificate {
  readonly wrong: string;
  /** The code that the side which sees it gives. */
  readonly reason: string;
  readonly credential: Credential;
}

/** A certificate that is right for this identity. */
export function right(spiffeId: string): Credential {
  return believed.makeLeaf({ spiffeId }).credential;
}

/** Believes whoever is there, as long as its key is P-256: for peers that try somebody else. */
export const credulous: PeerVerifier = {
  verify({ chain: [leaf = EMPTY] }) {
    const publicKey = new X509Certificate(leaf).publicKey.export({ type: 'spki', format: 'der' });
    return ok({ publicKey, keyType: 'ec-p256', identity: '', serial: '', notAfter: 0 });
  },
};

/** Certificates that claim this identity, each wrong in one way; `role` is that of who shows it. */
export function wrongCertificates(spiffeId: string, role: 'client' | 'server'): readonly WrongCertificate[] {
  const leaf = (options: LeafOptions): Credential => believed.makeLeaf({ spiffeId, ...options }).credential;
  const now = Date.now();
  const otherRole = role === 'client' ? SERVER_AUTH : CLIENT_AUTH;
  return [
    {
      wrong: 'another authority',
      reason: 'unknown-authority',
      credential: stranger.makeLeaf({ spiffeId }).credential,
    },
    {
      wrong: 'expired',
      reason: 'certificate-expired',
      credential: leaf({ notBefore: now - 2 * HOUR, notAfter: now - 1_000 }),
    },
    {
      wrong: 'not yet valid',
      reason: 'certificate-not-yet-valid',
      credential: leaf({ notBefore: now + HOUR, notAfter: now + 2 * HOUR }),
    },
    {
      wrong: 'no SPIFFE ID but a name',
      reason: 'no-spiffe-id',
      credential: believed.makeLeaf({ names: [{ dns: 'web.mesh.test' }] }).credential,
    },
    {
      wrong: 'a URI that is no SPIFFE ID',
      reason: 'invalid-spiffe-id',
      credential: believed.makeLeaf({ spiffeId: 'https://mesh.test/ns/shop/sa/web' }).credential,
    },
    {
      wrong: 'wrong trust domain',
      reason: 'wrong-trust-domain',
      credential: makeLeaf({ spiffeId: spiffeId.replace('mesh.test', 'other.test') }, unconstrained, [
        unconstrained.der,
      ]).credential,
    },
    {
      wrong: 'two URI SANs',
      reason: 'several-uri-sans',
      credential: leaf({ uriSans: [spiffeId, 'spiffe://mesh.test/ns/shop/sa/other'] }),
    },
    {
      wrong: 'no extended key usage',
      reason: 'missing-extended-key-usage',
      credential: leaf({ extendedKeyUsage: null }),
    },
    {
      wrong: 'the extended key usage of the other role',
      reason: 'missing-extended-key-usage',
      credential: leaf({ extendedKeyUsage: [otherRole] }),
    },
    {
      wrong: 'no key usage for signatures',
      reason: 'missing-key-usage',
      credential: leaf({ keyUsage: ['keyAgreement'] }),
    },
    {
      wrong: 'a leaf that is an authority',
      reason: 'leaf-is-a-ca',
      credential: leaf({ ca: true, commonName: 'more than a leaf' }),
    },
    {
      wrong: 'bad CertificateVerify: signed with another key than the certificate has',
      reason: 'incorrect-signature',
      credential: {
        chain: believed.makeLeaf({ spiffeId }).chain,
        signer: nodeSigner(makeKeys('ec-p256').privateKey),
      },
    },
  ];
}
