import { type KeyObject, randomBytes } from 'node:crypto';
import type { Refusal } from '#handshake';
import { err, ok, type Result, toHex } from '#runtime';
import { IDENTITY_REASONS } from '../reasons.ts';
import type { SpiffeId } from '../spiffe-id.ts';
import { type Certificate, describeCertificate } from '../x509/certificate.ts';
import { type AuthorityConfig, LIFETIMES } from './config.ts';
import type { PodIdentity } from '../x509/extensions/pod-identity.ts';
import type { IssuableRequest } from './request.ts';

/** What a certificate will say, decided here and nowhere else. Times are milliseconds since the Unix epoch. */
interface Template {
  /** Lower-case hexadecimal, 16 octets, the first not zero. */
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface AuthorityTemplate extends Template {
  readonly kind: 'root' | 'intermediate';
  readonly publicKey: KeyObject;
  readonly commonName: string;
  readonly organization: string;
  /** undefined: no limit (the root). */
  readonly pathLength: number | undefined;
  /** The only host that URIs below this authority may have; undefined: no constraint. */
  readonly permittedUriHost: string | undefined;
}

export interface LeafTemplate extends Template {
  readonly kind: 'leaf';
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly identity: SpiffeId;
  /** Beside the SPIFFE ID, for clients that know servers by DNS names: the API server and its webhooks. */
  readonly dnsNames: readonly string[];
  readonly pod: PodIdentity | undefined;
}

/** How a workload proved which pod it is. */
export interface Attestation {
  readonly method: 'token' | 'certificate' | 'pod-certificate-request';
  /** When it last did with a token, milliseconds since the Unix epoch: stays the same in renewals by certificate. */
  readonly attestedAt: number;
  readonly pod: PodIdentity;
  /** Where the call came from; none came for a PodCertificateRequest. */
  readonly remoteAddress?: string;
  /** Which PodCertificateRequest, `<namespace>/<name>`, for that method. */
  readonly request?: string;
  /** Serial of the certificate that proved it, for method `certificate`. */
  readonly previousSerial?: string;
}

export type CertificateTemplate = AuthorityTemplate | LeafTemplate;

export function rootTemplate(config: AuthorityConfig, publicKey: KeyObject, now: number): AuthorityTemplate {
  const serial = randomSerial();
  return {
    kind: 'root',
    serial,
    // The serial makes the name of each authority its own, so that two roots are never taken for each other.
    commonName: `Sallyport root ${serial.slice(0, 8)}`,
    organization: config.trustDomain,
    notBefore: wholeSecond(now - LIFETIMES.backdate),
    notAfter: wholeSecond(now + LIFETIMES.root),
    publicKey,
    pathLength: undefined,
    permittedUriHost: undefined,
  };
}

export function intermediateTemplate(
  config: AuthorityConfig,
  publicKey: KeyObject,
  root: Certificate,
  now: number,
): AuthorityTemplate {
  const serial = randomSerial();
  return {
    kind: 'intermediate',
    serial,
    commonName: `Sallyport intermediate ${serial.slice(0, 8)}`,
    organization: config.trustDomain,
    notBefore: Math.max(wholeSecond(now - LIFETIMES.backdate), root.notBefore),
    notAfter: Math.min(wholeSecond(now + config.intermediateLifetime), root.notAfter),
    publicKey,
    pathLength: 0,
    permittedUriHost: config.trustDomain,
  };
}

/**
 * A leaf's notBefore says when its workload was last attested, backdated: it stays the same from one renewal by
 * certificate to the next, and nobody but the authority can change it. RFC 5280 6.1.3 compares each certificate with the
 * present time only, so a leaf may begin before the intermediate that signed it.
 */
export function attestedAtOf({ notBefore }: { readonly notBefore: number }): number {
  return notBefore + LIFETIMES.backdate;
}

/** Whom a leaf names. */
export interface LeafNames {
  readonly identity: SpiffeId;
  readonly dnsNames?: readonly string[];
}

/** What somebody else than the authority demands of a leaf's times. Milliseconds; lives are from notBefore to notAfter. */
export interface LeafBounds {
  /** Instead of LIFETIMES.backdate, and no more than that. */
  readonly backdate: number;
  readonly least: number;
  readonly most: number;
}

/** Refused when the issuer ends before the shortest life that a leaf may have. */
export function leafTemplate(
  config: AuthorityConfig,
  request: IssuableRequest,
  { identity, dnsNames = [] }: LeafNames,
  attestation: Attestation | undefined,
  issuer: Certificate,
  now: number,
  { backdate, least, most }: LeafBounds = OWN_BOUNDS,
): Result<LeafTemplate, Refusal> {
  const notBefore = wholeSecond(Math.min(attestation?.attestedAt ?? now, now) - backdate);
  const notAfter = Math.min(wholeSecond(now + config.leafLifetime), notBefore + most, issuer.notAfter);
  if (notAfter < wholeSecond(now + LIFETIMES.leafLeast) || notAfter - notBefore < least) {
    return err({ reason: IDENTITY_REASONS['issuer-ending'], detail: describeCertificate(issuer) });
  }
  return ok({
    kind: 'leaf',
    serial: randomSerial(),
    identity,
    dnsNames,
    pod: attestation?.pod,
    notBefore,
    notAfter,
    spki: request.publicKey.spki,
  });
}

const OWN_BOUNDS: LeafBounds = { backdate: LIFETIMES.backdate, least: 0, most: Number.POSITIVE_INFINITY };

/** Certificates know whole seconds only. */
function wholeSecond(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1000;
}

/** 128 random bits; a zero first octet is drawn again, so that every serial prints with the same length. */
function randomSerial(): string {
  let octets = randomBytes(16);
  while (octets[0] === 0) octets = randomBytes(16);
  return toHex(octets);
}
