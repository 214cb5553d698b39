import { equal, type Result } from '#runtime';
import { DerReader } from './der/reader.ts';
import { contextConstructed, TAG } from './der/tag.ts';
import { readTime } from './der/time.ts';
import { readOctetBits, readSmallInteger } from './der/values.ts';
import {
  type CrlExtensions,
  NO_CRL_EXTENSIONS,
  readCrlExtensions,
  readEntryExtensions,
} from './extensions/crl-extensions.ts';
import { LIMITS } from './limits.ts';
import { type Name, readName } from './name.ts';
import { reading, X509Error, type X509Problem } from './problem.ts';
import { readSerialNumber } from './serial-number.ts';
import { readSignatureAlgorithm, type SignatureAlgorithm } from './signature-algorithm.ts';

/** Why a certificate was revoked (RFC 5280 5.3.1), by number; 7 is not used. */
export const REVOCATION_REASONS = {
  0: 'unspecified',
  1: 'keyCompromise',
  2: 'cACompromise',
  3: 'affiliationChanged',
  4: 'superseded',
  5: 'cessationOfOperation',
  6: 'certificateHold',
  8: 'removeFromCRL',
  9: 'privilegeWithdrawn',
  10: 'aACompromise',
} as const;

export type RevocationReason = (typeof REVOCATION_REASONS)[keyof typeof REVOCATION_REASONS];

export interface Revocation {
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly reason: RevocationReason;
}

/** A certificate revocation list that was read, wholly; nothing in it is believed yet. */
export interface RevocationList {
  /** The part that is signed. */
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  readonly issuer: Name;
  /** Milliseconds since the Unix epoch. */
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  /** By serial number, lower-case hexadecimal as in `Certificate.serial`. */
  readonly revoked: ReadonlyMap<string, Revocation>;
  readonly extensions: CrlExtensions;
}

/** CertificateList (RFC 5280 5.1), strictly: DER only, version 2 only, nothing after it. Never throws on input. */
export function parseRevocationList(bytes: Uint8Array): Result<RevocationList, X509Problem> {
  return reading(() => {
    if (bytes.length > LIMITS.revocationListBytes) {
      const most = LIMITS.revocationListBytes;
      throw new X509Error(0, `the revocation list has ${bytes.length} bytes; at most ${most} are read`);
    }
    const reader = new DerReader(bytes.slice());
    const list = reader.sequence('certificateList');
    reader.finish('certificateList');
    const tbsElement = list.expect(TAG.sequence, 'tbsCertList');
    const { encoded, ...fields } = readTbs(list.inside(tbsElement));
    const offset = list.offset;
    const outer = readSignatureAlgorithm(list, 'signatureAlgorithm');
    // RFC 5280 5.1.1.2: "MUST contain the same algorithm identifier as the signature field in the sequence tbsCertList".
    if (!equal(outer.encoded, encoded)) {
      throw new X509Error(offset, 'signatureAlgorithm differs from the one inside the revocation list');
    }
    const signature = readOctetBits(list, 'signatureValue');
    list.finish('certificateList');
    const tbs = list.whole(tbsElement);
    return Object.freeze({ tbs, signatureAlgorithm: outer.algorithm, signature, ...fields });
  });
}

type TbsFields = Omit<RevocationList, 'tbs' | 'signatureAlgorithm' | 'signature'> & {
  readonly encoded: Uint8Array;
};

/** TBSCertList, in the order of RFC 5280 5.1. */
function readTbs(tbs: DerReader): TbsFields {
  const start = tbs.offset;
  // RFC 5280 5.1.2.1: "When extensions are used, as required by this profile, this field MUST be present and MUST
  // specify version 2".
  const versioned = tbs.optional(TAG.integer, 'version');
  if (versioned === undefined || readSmallInteger(tbs.again(start), 'version') !== 1) {
    throw new X509Error(start, 'the revocation list is not of version 2');
  }
  const { encoded } = readSignatureAlgorithm(tbs, 'signature');
  const issuerOffset = tbs.offset;
  const issuer = readName(tbs, 'issuer');
  if (issuer.empty) throw new X509Error(issuerOffset, 'issuer is empty');
  const thisUpdate = readTime(tbs, 'thisUpdate');
  const nextUpdate = isTime(tbs.next) ? readTime(tbs, 'nextUpdate') : undefined;
  const revoked =
    tbs.next === TAG.sequence
      ? readRevoked(tbs.sequence('revokedCertificates'))
      : new Map<string, Revocation>();
  const field = tbs.optional(contextConstructed(0), 'crlExtensions');
  const extensions = field === undefined ? NO_CRL_EXTENSIONS : readField(tbs.inside(field));
  tbs.finish('tbsCertList');
  return { encoded, issuer, thisUpdate, nextUpdate, revoked, extensions };
}

function isTime(tag: number | undefined): boolean {
  return tag === TAG.utcTime || tag === TAG.generalizedTime;
}

function readField(field: DerReader): CrlExtensions {
  const extensions = readCrlExtensions(field);
  field.finish('crlExtensions');
  return extensions;
}

/** RFC 5280 5.1.2.6: "When there are no revoked certificates, the revoked certificates list MUST be absent." */
function readRevoked(list: DerReader): ReadonlyMap<string, Revocation> {
  const revoked = new Map<string, Revocation>();
  do {
    const start = list.offset;
    if (revoked.size === LIMITS.revocationListEntries) {
      throw new X509Error(start, `more than ${LIMITS.revocationListEntries} certificates are listed`);
    }
    const entry = list.sequence('revoked certificate');
    const serial = readSerialNumber(entry);
    const time = readTime(entry, 'revocationDate');
    const reason = entry.atEnd ? 0 : readEntryExtensions(entry);
    entry.finish('revoked certificate');
    if (revoked.has(serial)) throw new X509Error(start, `serial number ${serial} is listed twice`);
    // RFC 5280 5.3.1: removeFromCRL "may only appear in delta CRLs".
    const text =
      reason in REVOCATION_REASONS
        ? REVOCATION_REASONS[reason as keyof typeof REVOCATION_REASONS]
        : undefined;
    if (text === undefined || text === 'removeFromCRL') {
      throw new X509Error(start, `serial number ${serial} is listed for reason ${text ?? reason}`);
    }
    revoked.set(serial, { time, reason: text });
  } while (!list.atEnd);
  return revoked;
}
