import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { err, ok, type Result, systemClock } from '#runtime';
import {
  type ClientConfig,
  type Credential,
  GROUPS,
  type GroupName,
  type KeyType,
  type PeerVerifier,
  type PresentedChain,
  type Refusal,
  reasonTable,
  SCHEMES,
  type SchemeName,
  SessionCache,
  type ServerConfig,
  type Signer,
  TicketKeyRing,
  TicketWorker,
  type VerifiedPeer,
} from '#handshake';
import { nodeProvider, nodeSigner } from '#handshake/crypto';
import { type CredentialOptions, type Options, Unimplemented } from './flags.ts';

/** What the shim itself refuses for, beside the engine's reasons. */
export const SHIM_REASONS = reasonTable({
  'certificate-refused': {
    alert: 'handshake_failure',
    blame: 'peer',
    rfc: '8446#4.4.2.4',
    say: 'The verifier of this case refuses the certificate.',
    next: 'Nothing: the case asks for it.',
  },
  'certificate-refused-by-callback': {
    alert: 'certificate_unknown',
    blame: 'peer',
    rfc: '8446#4.4.2.4',
    say: 'The verifier of this case refuses the certificate.',
    next: 'Nothing: the case asks for it.',
  },
  'certificate-unreadable': {
    alert: 'decode_error',
    blame: 'peer',
    rfc: '8446#4.4.2.4',
    say: 'The certificate is not an X.509 certificate.',
    next: 'Nothing: the case asks for it.',
  },
  'key-usage-forbids': {
    alert: 'illegal_parameter',
    blame: 'peer',
    rfc: '8446#4.4.2.2',
    say: 'The key usage of the certificate lacks digitalSignature.',
    next: 'Nothing: the case asks for it.',
  },
  'ocsp-refused': {
    alert: 'bad_certificate_status_response',
    blame: 'peer',
    rfc: '6066#8',
    say: 'The verifier of this case refuses the OCSP response.',
    next: 'Nothing: the case asks for it.',
  },
  'certificate-unusable': {
    alert: 'unsupported_certificate',
    blame: 'peer',
    rfc: '8446#4.4.2.4',
    say: 'The certificate has a key of a type that no signature scheme here uses.',
    next: 'Nothing: the case asks for it.',
  },
  'sent-on-demand': {
    alert: 'decompression_failure_RESERVED',
    blame: 'local',
    rfc: '8446#6.2',
    say: 'The case asks for a fatal alert.',
    next: 'Nothing: the case asks for it.',
  },
});

/** What is kept from one connection of a case to the next. */
export interface Memory {
  readonly cache: SessionCache;
  readonly worker: TicketWorker;
}

export function newMemory(): Memory {
  const [crypto, clock] = [nodeProvider, systemClock];
  const ring = new TicketKeyRing({ crypto, clock });
  return {
    cache: new SessionCache({ clock }),
    worker: new TicketWorker({ crypto, clock, ring, windowMilliseconds: 10_000 }),
  };
}

/** RSA_BITS of the engine. */
const RSA_BITS = { least: 2048 };

/** What a case learns of its peer beside what the engine reports. */
export interface Seen {
  chain?: readonly Uint8Array[];
  ocspResponse?: Uint8Array;
  /** As the runner counts them: -1 is the default one. */
  selectedCredential?: number;
  /** The verifier met what the engine does not do. */
  unimplemented?: string;
}

const TLS13 = 0x0304;

export function requireTls13(options: Options): void {
  if ((options.number('max-version') ?? TLS13) < TLS13) throw new Unimplemented('TLS 1.2 is not spoken');
}

/** Whether the case lets this side speak what the engine does not. */
export function allowsTls12(options: Options): boolean {
  return !options.has('no-tls12') && (options.number('min-version') ?? 0) < TLS13;
}

export function clientConfig(options: Options, seen: Seen, memory: Memory): ClientConfig {
  const credential = credentialsOf(options, seen);
  if (options.has('fail-cert-callback') && credential.length === 0) {
    throw new Unimplemented('nothing is asked for a certificate but the configuration');
  }
  const serverName = options.text('host-name');
  return {
    ...common(options),
    alpn: protocolList(options.text('advertise-alpn') ?? ''),
    ...(serverName === undefined ? {} : { serverName }),
    credential,
    verifier: verifierOf(options, seen),
    sessions: {
      cache: memory.cache,
      identity: 'client',
      expected: ['server'],
      destination: 'runner',
      binding: 'none',
    },
  };
}

export function serverConfig(options: Options, seen: Seen, memory: Memory): ServerConfig {
  if (options.has('fail-ocsp-callback')) throw new Unimplemented('a staple is configured, not asked for');
  const credential = credentialsOf(options, seen);
  if (credential.length === 0) throw new Unimplemented('a server without a certificate');
  const required = options.has('require-any-client-certificate');
  const asks = required || options.has('verify-peer');
  return {
    ...common(options),
    alpn: selectedProtocols(options),
    credential,
    ...(options.has('no-ticket')
      ? {}
      : { sessions: { worker: memory.worker, identity: 'server', binding: 'none' } }),
    clientAuthentication: asks
      ? { mode: 'request', required, verifier: verifierOf(options, seen) }
      : { mode: 'none' },
  };
}

function common(options: Options) {
  const authorities = options.text('use-client-ca-list');
  const keyShares = options.has('no-key-shares') ? [] : options.numbers('key-shares')?.map(groupOf);
  const groups = options.numbers('curves')?.map(groupOf);
  const schemes = options.numbers('verify-prefs')?.map(schemeOf);
  const maxFragment = options.number('max-send-fragment');
  return {
    crypto: nodeProvider,
    alpnRequired: false,
    requestOcspResponse: options.has('enable-ocsp-stapling') && !options.has('server'),
    ...(authorities === undefined ? {} : { certificateAuthorities: nameList(authorities) }),
    ...(keyShares === undefined ? {} : { keyShares }),
    ...(maxFragment === undefined ? {} : { maxFragment }),
    ...(groups === undefined ? {} : { groups }),
    ...(schemes === undefined ? {} : { schemes }),
  };
}

function selectedProtocols(options: Options): string[] {
  if (options.has('reject-alpn')) return ['not-offered-by-anybody'];
  const selected = options.text('select-alpn');
  return selected === undefined ? [] : [selected];
}

/** Protocols in a row, each after a byte with its length. */
export function protocolList(text: string): string[] {
  const protocols: string[] = [];
  for (let offset = 0; offset < text.length; ) {
    const end = offset + 1 + text.charCodeAt(offset);
    protocols.push(text.slice(offset + 1, end));
    offset = end;
  }
  return protocols;
}

function groupOf(id: number): GroupName {
  const found = (Object.keys(GROUPS) as GroupName[]).find((name) => GROUPS[name].id === id);
  if (found === undefined) throw new Unimplemented(`group ${hex(id)} is not offered`);
  return found;
}

function schemeOf(id: number): SchemeName {
  const found = (Object.keys(SCHEMES) as SchemeName[]).find((name) => SCHEMES[name].id === id);
  if (found === undefined) throw new Unimplemented(`signature scheme ${hex(id)} is not offered`);
  return found;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}

/** DER Names as the runner writes them: hexadecimal, with commas between; `<EMPTY>` and `<NULL>` stand for none. */
function nameList(text: string): Uint8Array[] {
  if (text === '<EMPTY>' || text === '<NULL>' || text === '') return [];
  return text.split(',').map((name) => new Uint8Array(Buffer.from(name, 'hex')));
}

/** The default credential, given without `-new-x509-credential`, is used only where it is the only one. */
function credentialsOf(options: Options, seen: Seen): Credential[] {
  const listed = options.credentials.filter(({ index }) => index >= 0);
  const used =
    listed.length > 0
      ? [...listed, ...options.credentials.filter(({ index }) => index < 0)]
      : options.credentials;
  return used.map((each) => credentialOf(each, options, seen));
}

function credentialOf(wanted: CredentialOptions, options: Options, seen: Seen): Credential {
  const pem = readFileSync(wanted.certificateFile!, 'utf8');
  const chain = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const key = createPrivateKey(readFileSync(wanted.keyFile!));
  const type = key.asymmetricKeyType ?? '';
  if (type.startsWith('ml-dsa')) throw new Unimplemented('ML-DSA is not offered');
  if ((key.asymmetricKeyDetails?.modulusLength ?? RSA_BITS.least) < RSA_BITS.least) {
    throw new Unimplemented('RSA keys of less than 2048 bits are not used');
  }
  const signer = nodeSigner(key);
  const preferences = wanted.signingPreferences.map(schemeOf);
  const certificates = chain.map((certificate) => new Uint8Array(new X509Certificate(certificate).raw));
  const narrowed = preferences.length === 0 ? signer : { ...signer, schemes: preferences };
  return {
    chain: certificates,
    notAfter: Number.MAX_SAFE_INTEGER,
    signer: signerOf(narrowed, wanted.index, options, seen),
    ...(wanted.mustMatchIssuer ? { issuers: certificates.map(issuerOf) } : {}),
    ...(wanted.ocspResponse === undefined ? {} : { ocspResponse: wanted.ocspResponse }),
  };
}

function signerOf(signer: Signer, index: number, options: Options, seen: Seen): Signer {
  if (options.has('fail-cert-callback')) {
    return { ...signer, sign: () => Promise.reject(new Error('the case asks for it')) };
  }
  return {
    ...signer,
    sign(scheme, message) {
      seen.selectedCredential = index;
      const signature = signer.sign(scheme, message);
      return options.has('async') ? Promise.resolve(signature) : signature;
    },
  };
}

/** Believes any certificate whose key the engine can use, unless the case says otherwise. */
function verifierOf(options: Options, seen: Seen): PeerVerifier {
  const judge = (presented: PresentedChain): Result<VerifiedPeer, Refusal> => {
    seen.chain = presented.chain;
    if (presented.ocspResponse !== undefined) seen.ocspResponse = presented.ocspResponse;
    if (options.has('verify-fail')) {
      const custom = options.has('use-custom-verify-callback');
      return refuse(
        custom ? 'certificate-refused-by-callback' : 'certificate-refused',
        'the case asks for it',
      );
    }
    if (options.has('fail-ocsp-callback')) return refuse('ocsp-refused', 'the case asks for it');
    const peer = readPeer(presented.chain[0]!);
    if (!peer.ok && peer.error.detail === UNIMPLEMENTED_KEY) seen.unimplemented = UNIMPLEMENTED_KEY;
    return peer;
  };
  if (!options.has('async')) return { verify: judge };
  return { verify: (presented) => Promise.resolve(judge(presented)) };
}

const UNIMPLEMENTED_KEY = 'ML-DSA is not offered';

function readPeer(der: Uint8Array): Result<VerifiedPeer, Refusal> {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    return refuse('certificate-unreadable', 'not DER');
  }
  const { publicKey } = certificate;
  if (publicKey.asymmetricKeyType?.startsWith('ml-dsa'))
    return refuse('certificate-unusable', UNIMPLEMENTED_KEY);
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

/** The bit digitalSignature of keyUsage (RFC 5280 4.2.1.3), if the certificate has that extension. */
function maySign(der: Uint8Array): boolean {
  const hex = Buffer.from(der).toString('hex');
  const [, bits] = /0603551d0f(?:0101ff)?04040302[0-9a-f]{2}([0-9a-f]{2})/.exec(hex) ?? [];
  return bits === undefined || (Number.parseInt(bits, 16) & 0x80) !== 0;
}

function issuerOf(der: Uint8Array): Uint8Array {
  return tbsField(der, ISSUER);
}

/** RFC 5280 4.1: the issuer is the fourth field of a TBSCertificate that states its version. */
const ISSUER = 3;

/** A field of the TBSCertificate, header included. Of certificates that the runner made. */
function tbsField(der: Uint8Array, index: number): Uint8Array {
  let rest = contentOf(contentOf(der));
  for (let skipped = 0; skipped < index; skipped += 1) rest = rest.subarray(lengthOf(rest));
  return rest.slice(0, lengthOf(rest));
}

/** Header and content. */
function lengthOf(der: Uint8Array): number {
  return contentStart(der) + contentLength(der);
}

function contentOf(der: Uint8Array): Uint8Array {
  return der.subarray(contentStart(der), lengthOf(der));
}

function contentStart(der: Uint8Array): number {
  return der[1]! < 0x80 ? 2 : 2 + (der[1]! & 0x7f);
}

function contentLength(der: Uint8Array): number {
  if (der[1]! < 0x80) return der[1]!;
  return der.subarray(2, contentStart(der)).reduce((length, byte) => length * 256 + byte, 0);
}

function keyTypeOf(type: string | undefined, curve: string | undefined): KeyType | undefined {
  if (type === 'ec')
    return curve === 'prime256v1' ? 'ec-p256' : curve === 'secp384r1' ? 'ec-p384' : undefined;
  return type === 'rsa' || type === 'ed25519' ? type : undefined;
}

function refuse(code: keyof typeof SHIM_REASONS, detail: string): Result<VerifiedPeer, Refusal> {
  return err({ reason: SHIM_REASONS[code], detail });
}
