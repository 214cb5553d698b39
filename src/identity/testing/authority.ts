import type { Credential } from '#handshake';
import { nodeSigner } from '#handshake/crypto';
import { createTrustBundle, type TrustBundle } from '../bundle.ts';
import type { KeyUsageName } from '../x509/extensions/key-usage.ts';
import { OID } from '../x509/oids.ts';
import { encodePem } from '../x509/pem.ts';
import {
  encodeCertificate,
  encodeName,
  keyIdentifierOf,
  spkiOf,
  type TestSignatureAlgorithm,
} from './certificate.ts';
import {
  encodeAuthorityKeyIdentifier,
  encodeBasicConstraints,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  encodeNameConstraints,
  encodeSubjectAltName,
  encodeSubjectKeyIdentifier,
  type TestName,
} from './extensions.ts';
import { makeKeys, type TestKeys, type TestKeyType } from './keys.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Whoever signs certificates: its own, and what is needed to sign the next. */
export interface TestIssuer {
  readonly der: Uint8Array;
  readonly name: Uint8Array;
  readonly keys: TestKeys;
}

export interface IssuerOptions {
  readonly commonName: string;
  readonly keyType?: TestKeyType;
  readonly keys?: TestKeys;
  /** Milliseconds since the Unix epoch. Default: from an hour before `now` to 30 days after it. */
  readonly now?: number;
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** Default true. */
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** Default keyCertSign and cRLSign; null leaves the extension out. */
  readonly keyUsage?: readonly KeyUsageName[] | null;
  /** OIDs. Default: no extension. */
  readonly extendedKeyUsage?: readonly string[];
  readonly permitted?: readonly TestName[];
  readonly excluded?: readonly TestName[];
  /** Default true: subject and authority key identifiers. */
  readonly keyIdentifiers?: boolean;
  readonly algorithm?: TestSignatureAlgorithm;
  readonly extraExtensions?: readonly Uint8Array[];
  /** Replaces every extension made from the options above. */
  readonly extensions?: readonly Uint8Array[];
}

/** A CA certificate signed by `parent`, or by itself. */
export function makeIssuer(options: IssuerOptions, parent?: TestIssuer): TestIssuer {
  const now = options.now ?? Date.now();
  const keys = options.keys ?? makeKeys(options.keyType ?? 'ec-p256');
  const name = encodeName(options.commonName);
  const der = encodeCertificate({
    issuer: parent?.name ?? name,
    subject: name,
    notBefore: options.notBefore ?? now - 60 * MINUTE,
    notAfter: options.notAfter ?? now + 30 * DAY,
    spki: spkiOf(keys.publicKey),
    extensions: options.extensions ?? issuerExtensions(options, keys, parent),
    signingKey: parent?.keys.privateKey ?? keys.privateKey,
    ...(options.algorithm === undefined ? {} : { algorithm: options.algorithm }),
  });
  return { der, name, keys };
}

export interface LeafOptions {
  /** The one URI name, unless `uriSans` says otherwise. */
  readonly spiffeId?: string;
  readonly uriSans?: readonly string[];
  /** Further names of the subjectAltName. */
  readonly names?: readonly TestName[];
  readonly commonName?: string;
  readonly keyType?: TestKeyType;
  readonly keys?: TestKeys;
  /** Milliseconds since the Unix epoch. Default: from 5 minutes before `now` to 6 hours after it. */
  readonly now?: number;
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** OIDs, default serverAuth and clientAuth; null leaves the extension out. */
  readonly extendedKeyUsage?: readonly string[] | null;
  /** Default digitalSignature; null leaves the extension out. */
  readonly keyUsage?: readonly KeyUsageName[] | null;
  readonly ca?: boolean;
  readonly algorithm?: TestSignatureAlgorithm;
  readonly extraExtensions?: readonly Uint8Array[];
  /** Contents of the INTEGER. Default: 16 random octets, positive. */
  readonly serial?: Uint8Array;
}

export interface TestLeaf {
  /** DER: the leaf, then the intermediates. */
  readonly chain: readonly Uint8Array[];
  readonly keys: TestKeys;
  /** Only for keys that TLS can use. */
  readonly credential: Credential;
  /** For other people's programs. */
  readonly pem: { readonly chain: string; readonly key: string };
}

export interface AuthorityOptions {
  readonly trustDomain?: string;
  readonly now?: number;
  /** Overrides of the root and of the intermediates, top down. Default: one intermediate like the real CA's. */
  readonly root?: Partial<IssuerOptions>;
  readonly intermediates?: readonly Partial<IssuerOptions>[];
}

/** A whole authority: root, intermediates, trust bundle, and leaves on demand. */
export interface TestAuthority {
  readonly root: TestIssuer;
  /** Top down; the last one signs leaves. */
  readonly intermediates: readonly TestIssuer[];
  readonly bundle: TrustBundle;
  readonly rootPem: string;
  makeLeaf(options: LeafOptions): TestLeaf;
}

export function makeAuthority(options: AuthorityOptions = {}): TestAuthority {
  const trustDomain = options.trustDomain ?? 'mesh.test';
  const now = options.now ?? Date.now();
  const root = makeIssuer({ commonName: `${trustDomain} root`, now, ...options.root });
  const intermediates: TestIssuer[] = [];
  for (const [index, overrides] of (options.intermediates ?? [{ pathLength: 0 }]).entries()) {
    const commonName = `${trustDomain} intermediate ${index + 1}`;
    const permitted = [{ uri: trustDomain }];
    intermediates.push(
      makeIssuer({ commonName, now, permitted, ...overrides }, intermediates.at(-1) ?? root),
    );
  }
  const bundle = createTrustBundle(trustDomain, [root.der]);
  if (!bundle.ok) throw new Error(bundle.error.join('; '));
  const issuer = intermediates.at(-1) ?? root;
  const above = [...intermediates].reverse().map((intermediate) => intermediate.der);
  return {
    root,
    intermediates,
    bundle: bundle.value,
    rootPem: encodePem('CERTIFICATE', root.der),
    makeLeaf: (leaf) => makeLeaf({ now, ...leaf }, issuer, above),
  };
}

/** A leaf signed by `issuer`; `above` are the certificates sent after it. */
export function makeLeaf(
  options: LeafOptions,
  issuer: TestIssuer,
  above: readonly Uint8Array[] = [],
): TestLeaf {
  const now = options.now ?? Date.now();
  const notAfter = options.notAfter ?? now + DAY / 4;
  const keys = options.keys ?? makeKeys(options.keyType ?? 'ec-p256');
  const leaf = encodeCertificate({
    issuer: issuer.name,
    subject: encodeName(options.commonName),
    notBefore: options.notBefore ?? now - 5 * MINUTE,
    notAfter,
    spki: spkiOf(keys.publicKey),
    extensions: leafExtensions(options, keys, issuer),
    signingKey: issuer.keys.privateKey,
    ...(options.serial === undefined ? {} : { serial: options.serial }),
    ...(options.algorithm === undefined ? {} : { algorithm: options.algorithm }),
  });
  const chain = [leaf, ...above];
  return {
    chain,
    keys,
    get credential() {
      return { chain, signer: nodeSigner(keys.privateKey), notAfter };
    },
    pem: {
      chain: chain.map((der) => encodePem('CERTIFICATE', der)).join(''),
      key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    },
  };
}

function issuerExtensions(
  options: IssuerOptions,
  keys: TestKeys,
  parent: TestIssuer | undefined,
): Uint8Array[] {
  const { permitted = [], excluded = [], keyUsage = ['keyCertSign', 'cRLSign'] } = options;
  return [
    ...((options.ca ?? true) ? [encodeBasicConstraints(true, options.pathLength)] : []),
    ...(keyUsage === null ? [] : [encodeKeyUsage(keyUsage)]),
    ...(options.extendedKeyUsage === undefined ? [] : [encodeExtendedKeyUsage(options.extendedKeyUsage)]),
    ...(permitted.length + excluded.length === 0 ? [] : [encodeNameConstraints(permitted, excluded)]),
    ...keyIdentifiers(options.keyIdentifiers ?? true, keys, parent),
    ...(options.extraExtensions ?? []),
  ];
}

function leafExtensions(options: LeafOptions, keys: TestKeys, issuer: TestIssuer): Uint8Array[] {
  const { keyUsage = ['digitalSignature'], extendedKeyUsage = [OID.serverAuth, OID.clientAuth] } = options;
  const uris = options.uriSans ?? (options.spiffeId === undefined ? [] : [options.spiffeId]);
  const names = [...uris.map((uri) => ({ uri })), ...(options.names ?? [])];
  return [
    ...(options.ca === true ? [encodeBasicConstraints(true)] : []),
    ...(keyUsage === null ? [] : [encodeKeyUsage(keyUsage)]),
    ...(extendedKeyUsage === null ? [] : [encodeExtendedKeyUsage(extendedKeyUsage)]),
    ...(names.length === 0 ? [] : [encodeSubjectAltName(names, options.commonName === undefined)]),
    ...keyIdentifiers(true, keys, issuer),
    ...(options.extraExtensions ?? []),
  ];
}

function keyIdentifiers(wanted: boolean, keys: TestKeys, parent: TestIssuer | undefined): Uint8Array[] {
  if (!wanted) return [];
  const own = encodeSubjectKeyIdentifier(keyIdentifierOf(keys.publicKey));
  if (parent === undefined) return [own];
  return [own, encodeAuthorityKeyIdentifier(keyIdentifierOf(parent.keys.publicKey))];
}
