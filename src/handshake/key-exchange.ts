import { concat, err, ok, type Result } from '#runtime';
import { type Kem, type KemFault, type KemName, KEMS } from './crypto/kem.ts';
import type { CryptoProvider } from './crypto/provider.ts';
import { Secret } from './crypto/secret.ts';
import { type GroupName, GROUPS } from './groups.ts';

/** A client's half of a key exchange. Its private keys are used once and then gone. */
export interface KeyShare {
  readonly group: GroupName;
  /** The key_exchange bytes to send (RFC 8446 4.2.8). */
  readonly share: Uint8Array;
  /** The shared secret, from the server's key_exchange bytes. */
  finish(serverShare: Uint8Array): Result<Secret, KemFault>;
}

/** The client's part: public keys of all mechanisms of the group, joined. */
export function generateKeyShare(crypto: CryptoProvider, group: GroupName): KeyShare {
  const names: readonly KemName[] = GROUPS[group].kems;
  const pairs = names.map((name) => kemOf(crypto, name).generate());
  return {
    group,
    share: concat(...pairs.map((pair) => pair.publicKey)),
    finish(serverShare) {
      const ciphertexts = cut(
        names.map((name) => KEMS[name].ciphertextLength),
        serverShare,
      );
      if (ciphertexts === undefined) return err('key-share-length');
      return joinAll(pairs.map((pair, index) => pair.decapsulate(ciphertexts[index]!)));
    },
  };
}

/** What a server answers to a client's key_exchange bytes, and the secret it then shares. */
export interface Answer {
  readonly share: Uint8Array;
  readonly secret: Secret;
}

export function answerKeyShare(
  crypto: CryptoProvider,
  group: GroupName,
  clientShare: Uint8Array,
): Result<Answer, KemFault> {
  const names: readonly KemName[] = GROUPS[group].kems;
  const publicKeys = cut(
    names.map((name) => KEMS[name].publicKeyLength),
    clientShare,
  );
  if (publicKeys === undefined) return err('key-share-length');
  const ciphertexts: Uint8Array[] = [];
  const secrets = names.map((name, index): Result<Secret, KemFault> => {
    const encapsulation = kemOf(crypto, name).encapsulate(publicKeys[index]!);
    if (!encapsulation.ok) return encapsulation;
    ciphertexts.push(encapsulation.value.ciphertext);
    return ok(encapsulation.value.secret);
  });
  const secret = joinAll(secrets);
  return secret.ok ? ok({ share: concat(...ciphertexts), secret: secret.value }) : secret;
}

/** The groups that this provider has every mechanism of. */
export function offersGroup(crypto: CryptoProvider, group: GroupName): boolean {
  return (GROUPS[group].kems as readonly KemName[]).every((name) => crypto.kems[name] !== undefined);
}

function kemOf(crypto: CryptoProvider, name: KemName): Kem {
  const kem = crypto.kems[name];
  if (kem === undefined) throw new Error(`the provider ${crypto.name} has no ${name}`);
  return kem;
}

/** The parts of these lengths, or undefined unless they are the whole. */
function cut(lengths: readonly number[], whole: Uint8Array): readonly Uint8Array[] | undefined {
  if (lengths.reduce((sum, length) => sum + length, 0) !== whole.length) return undefined;
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return whole.subarray(at - length, at);
  });
}

/**
 * draft-ietf-tls-hybrid-design 3.3: the secrets of all mechanisms, concatenated. One refusal refuses the whole, or the
 * hybrid would be as weak as its other part.
 */
function joinAll(secrets: readonly Result<Secret, KemFault>[]): Result<Secret, KemFault> {
  const refused = secrets.find((secret) => !secret.ok);
  const known = secrets.flatMap((secret) => (secret.ok ? [secret.value] : []));
  if (refused === undefined && known.length === 1) return ok(known[0]!);
  const joined = refused ?? ok(new Secret(concat(...known.map((secret) => secret.expose()))));
  for (const secret of known) secret.wipe();
  return joined;
}
