import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '#runtime';
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
  type ServerConfig,
  type Signer,
  type VerifiedPeer,
} from '#handshake';
import { nodeProvider, nodeSigner } from '#handshake/crypto';
import { type CredentialOptions, type Options, Unimplemented } from './flags.ts';

/** What the shim itself refuses for, beside the engine's reasons. */
export const SHIM_REASONS = reasonTable({
  'certificate-refused': {
    alert: 'bad_certificate',
    blame: 'peer',
    rfc: '8446#4.4.2.4',
    say: 'The verifier of this case refuses the certificate.',
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
    alert: 'internal_error',
    blame: 'local',
    rfc: '8446#6.2',
    say: 'The case asks for a fatal alert.',
    next: 'Nothing: the case asks for it.',
  },
});

/** What a case learns of its peer beside what the engine reports. */
export interface Seen {
  chain?: readonly Uint8Array[];
}

const TLS13 = 0x0304;

export function requireTls13(options: Options): void {
  if ((options.number('max-version') ?? TLS13) < TLS13) throw new Unimplemented('TLS 1.2 is not spoken');
}

/** Whether the case lets this side speak what the engine does not. */
export function allowsTls12(options: Options): boolean {
  return !options.has('no-tls12') && (options.number('min-version') ?? 0) < TLS13;
}

export function clientConfig(options: Options, seen: Seen): ClientConfig {
  const [credential] = options.credentials.map((each) => credentialOf(each, options));
  const serverName = options.text('host-name');
  return {
    ...common(options),
    alpn: protocolList(options.text('advertise-alpn') ?? ''),
    ...(serverName === undefined ? {} : { serverName }),
    ...(credential === undefined ? {} : { credential }),
    verifier: verifierOf(options, seen),
  };
}

export function serverConfig(options: Options, seen: Seen): ServerConfig {
  const [credential] = options.credentials.map((each) => credentialOf(each, options));
  if (credential === undefined) throw new Unimplemented('a server without a certificate');
  const required = options.has('require-any-client-certificate');
  const asks = required || options.has('verify-peer');
  return {
    ...common(options),
    alpn: selectedProtocols(options),
    credential,
    clientAuthentication: asks
      ? { mode: 'request', required, verifier: verifierOf(options, seen) }
      : { mode: 'none' },
  };
}

function common(options: Options) {
  const groups = options.numbers('curves')?.map(groupOf);
  const schemes = options.numbers('verify-prefs')?.map(schemeOf);
  const maxFragment = options.number('max-send-fragment');
  return {
    crypto: nodeProvider,
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

function credentialOf(wanted: CredentialOptions, options: Options): Credential {
  const pem = readFileSync(wanted.certificateFile!, 'utf8');
  const chain = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const signer = nodeSigner(createPrivateKey(readFileSync(wanted.keyFile!)));
  const preferences = wanted.signingPreferences.map(schemeOf);
  return {
    chain: chain.map((certificate) => new Uint8Array(new X509Certificate(certificate).raw)),
    signer: signerOf(preferences.length === 0 ? signer : { ...signer, schemes: preferences }, options),
  };
}

function signerOf(signer: Signer, options: Options): Signer {
  if (options.has('fail-cert-callback')) {
    return { ...signer, sign: () => Promise.reject(new Error('the case asks for it')) };
  }
  if (!options.has('async')) return signer;
  return { ...signer, sign: (scheme, message) => Promise.resolve(signer.sign(scheme, message)) };
}

/** Believes any certificate whose key the engine can use, unless the case says otherwise. */
function verifierOf(options: Options, seen: Seen): PeerVerifier {
  const judge = (presented: PresentedChain): Result<VerifiedPeer, Refusal> => {
    seen.chain = presented.chain;
    if (options.has('verify-fail')) return refuse('certificate-refused', 'the case asks for it');
    return readPeer(presented.chain[0]!);
  };
  if (!options.has('async')) return { verify: judge };
  return { verify: (presented) => Promise.resolve(judge(presented)) };
}

function readPeer(der: Uint8Array): Result<VerifiedPeer, Refusal> {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    return refuse('certificate-refused', 'not an X.509 certificate');
  }
  const { publicKey } = certificate;
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
