import { sign } from 'node:crypto';
import { fromHex } from '#runtime';
import { contextConstructed, contextPrimitive, TAG } from '../x509/der/tag.ts';
import { encode, encodeOctetBits, encodeSequence, encodeTime, encodeUnsigned } from '../x509/der/writer.ts';
import { OID } from '../x509/oids.ts';
import { SIGNATURE_ALGORITHMS } from '../x509/signature-algorithm.ts';
import type { TestIssuer } from './authority.ts';
import { keyIdentifierOf } from './certificate.ts';
import { encodeExtension } from './extensions.ts';

export interface TestRevocationList {
  /** Serial numbers, hexadecimal, with the number of the reason (0: none is given). */
  readonly revoked?: readonly { readonly serial: string; readonly reason?: number }[];
  /** Milliseconds since the Unix epoch. */
  readonly thisUpdate: number;
  readonly nextUpdate?: number;
  /** Replaces key identifier and CRL number. */
  readonly extensions?: readonly Uint8Array[];
  /** Beside those. */
  readonly extraExtensions?: readonly Uint8Array[];
  readonly signer?: TestIssuer;
}

/** A list of `issuer`, whose key has to be of P-256; valid or not, nothing is checked. */
export function encodeRevocationList(issuer: TestIssuer, options: TestRevocationList): Uint8Array {
  const identifier = fromHex(SIGNATURE_ALGORITHMS['ecdsa-with-SHA256'].identifier);
  const entries = (options.revoked ?? []).map(({ serial, reason = 0 }) =>
    encodeSequence(
      encodeUnsigned(fromHex(serial)),
      encodeTime(options.thisUpdate),
      ...(reason === 0
        ? []
        : [
            encodeSequence(
              encodeExtension(OID.cRLReason, false, encode(TAG.enumerated, Uint8Array.of(reason))),
            ),
          ]),
    ),
  );
  const extensions = [...(options.extensions ?? usualExtensions(issuer)), ...(options.extraExtensions ?? [])];
  const tbs = encodeSequence(
    encodeUnsigned(Uint8Array.of(1)),
    identifier,
    issuer.name,
    encodeTime(options.thisUpdate),
    ...(options.nextUpdate === undefined ? [] : [encodeTime(options.nextUpdate)]),
    ...(entries.length === 0 ? [] : [encode(TAG.sequence, new Uint8Array(Buffer.concat(entries)))]),
    ...(extensions.length === 0 ? [] : [encode(contextConstructed(0), encodeSequence(...extensions))]),
  );
  const key = (options.signer ?? issuer).keys.privateKey;
  return encodeSequence(tbs, identifier, encodeOctetBits(sign('sha256', tbs, key)));
}

function usualExtensions(issuer: TestIssuer): readonly Uint8Array[] {
  const identifier = encode(contextPrimitive(0), keyIdentifierOf(issuer.keys.publicKey));
  return [
    encodeExtension(OID.authorityKeyIdentifier, false, encodeSequence(identifier)),
    encodeExtension(OID.cRLNumber, false, encodeUnsigned(Uint8Array.of(1))),
  ];
}
