import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { err, fromAscii, ok, type Result, toHex } from '#runtime';
import type { Credential, Signer } from '../credentials/signer.ts';
import { nodeSigner } from '../crypto/index.ts';
import { type Refusal, reasonTable } from '../reason.ts';
import type { KeyType, SchemeName } from '../schemes.ts';
import type { PeerVerifier, PresentedChain, VerifiedPeer } from '../verify/peer-verifier.ts';

/** Whether signers and verifiers answer at once or by a promise. */
export type Timing = 'sync' | 'async';

/** What the fake verifier says of a certificate that it does not know. */
export const TEST_REASONS = reasonTable({
  'unknown-test-certificate': {
    alert: 'unknown_ca',
    blame: 'peer',
    rfc: '8446#4.4.2.4',
    say: 'The certificate is not one of the test.',
    next: 'Show another.',
  },
});

/** A key pair with a "certificate": bytes that the fake verifier maps to the public key. The engine knows no X.509. */
export interface Identity {
  readonly name: string;
  readonly keyType: KeyType;
  readonly chain: readonly Uint8Array[];
  readonly privateKey: KeyObject;
  readonly peer: VerifiedPeer;
}

const NOT_AFTER = Date.UTC(2030, 0, 1);

/** `chain` defaults to a leaf and one intermediate. */
export function makeIdentity(name: string, keyType: KeyType = 'ec-p256', chain?: Uint8Array[]): Identity {
  const { privateKey, publicKey } = generateKeyPair(keyType);
  const leaf = fromAscii(`leaf of ${name}, ${keyType}`);
  return {
    name,
    keyType,
    chain: chain ?? [leaf, fromAscii('intermediate')],
    privateKey,
    peer: {
      publicKey: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
      keyType,
      identity: `test:${name}`,
      serial: '01',
      notAfter: NOT_AFTER,
    },
  };
}

/** `schemes` narrows what the signer offers to sign with. */
export function credentialOf(
  identity: Identity,
  timing: Timing = 'sync',
  schemes?: readonly SchemeName[],
): Credential {
  const signer = nodeSigner(identity.privateKey);
  return {
    chain: identity.chain,
    notAfter: identity.peer.notAfter,
    signer: {
      schemes: schemes ?? signer.schemes,
      sign: (scheme, message) => answer(timing, signer.sign(scheme, message) as Uint8Array),
    },
  };
}

/** A credential whose signer does what it is told, for tests of everything that a signer can do wrong. */
export function credentialWith(identity: Identity, sign: Signer['sign']): Credential {
  return { chain: identity.chain, signer: { schemes: nodeSigner(identity.privateKey).schemes, sign } };
}

/** Believes exactly the leaves of `identities`, and remembers what it was shown. */
export class FakeVerifier implements PeerVerifier {
  readonly shown: PresentedChain[] = [];
  readonly #known: ReadonlyMap<string, VerifiedPeer>;
  readonly #timing: Timing;

  constructor(identities: readonly Identity[], timing: Timing = 'sync') {
    this.#known = new Map(identities.map(({ chain, peer }) => [toHex(chain[0]!), peer]));
    this.#timing = timing;
  }

  verify(presented: PresentedChain): Result<VerifiedPeer, Refusal> | Promise<Result<VerifiedPeer, Refusal>> {
    this.shown.push(presented);
    const peer = this.#known.get(toHex(presented.chain[0]!));
    const reason = TEST_REASONS['unknown-test-certificate'];
    return answer(this.#timing, peer === undefined ? err({ reason, detail: 'test' }) : ok(peer));
  }
}

function answer<T>(timing: Timing, value: T): T | Promise<T> {
  return timing === 'sync' ? value : new Promise((resolve) => setImmediate(() => resolve(value)));
}

function generateKeyPair(keyType: KeyType): { privateKey: KeyObject; publicKey: KeyObject } {
  switch (keyType) {
    case 'ec-p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'ec-p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' });
    case 'ed25519':
      return generateKeyPairSync('ed25519');
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
    case 'rsa-pss':
      return generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
  }
}

const identities = new Map<string, Identity>();

/** One identity a name and key type for the whole test file: RSA keys take long to make. */
export function identity(name: 'client' | 'server' | 'stranger', keyType: KeyType = 'ec-p256'): Identity {
  const key = `${name} ${keyType}`;
  const made = identities.get(key) ?? makeIdentity(name, keyType);
  identities.set(key, made);
  return made;
}
