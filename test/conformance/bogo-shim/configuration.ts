import {
  type ClientConfig,
  type Credential,
  GROUPS,
  type GroupName,
  type SchemeName,
  type ServerConfig,
} from '#handshake';
import { nodeProvider } from '#handshake/crypto';
import { credentialsOf, schemeName } from './credentials.ts';
import { type Options, Unimplemented } from './flags.ts';
import type { Memory } from './memory.ts';
import { NO_ML_DSA, type Seen, verifierOf } from './verifier.ts';

const TLS13 = 0x0304;

/** kMaxEarlyDataAccepted of BoringSSL: the runner sends as much, and more where that must be refused. */
const MAX_EARLY_DATA = 14_336;

export const NO_TLS12 = 'TLS 1.2 is not spoken';

export function requireTls13(options: Options): void {
  if ((options.number('max-version') ?? TLS13) < TLS13) throw new Unimplemented(NO_TLS12);
}

/** Whether the case lets this side speak what the engine does not. */
export function allowsTls12(options: Options): boolean {
  return !options.has('no-tls12') && (options.number('min-version') ?? 0) < TLS13;
}

/** `options` is what holds from the start; the verifier asks `current`. */
export function clientConfig(
  options: Options,
  current: () => Options,
  seen: Seen,
  memory: Memory,
): ClientConfig {
  const credential = credentialsOf(options, seen, memory);
  if (options.has('fail-cert-callback') && credential.length === 0) {
    memory.unimplemented ??= 'nothing is asked for a certificate but the configuration';
  }
  const serverName = options.text('host-name');
  const externalPsks = externalPsksOf(options, credential, memory);
  return {
    ...common(options, memory),
    alpn: protocolList(options.text('advertise-alpn') ?? ''),
    ...(serverName === undefined ? {} : { serverName }),
    ...(credential.length === 0 ? {} : { credential }),
    verifier: verifierOf(current, seen, memory),
    ...(externalPsks.length > 0
      ? { externalPsks }
      : {
          earlyData: options.has('enable-early-data'),
          sessions: {
            cache: memory.cache,
            identity: 'client',
            expected: ['server'],
            destination: 'runner',
            binding: 'none',
          },
        }),
  };
}

export function serverConfig(
  options: Options,
  current: () => Options,
  seen: Seen,
  memory: Memory,
): ServerConfig {
  if (options.has('fail-ocsp-callback')) memory.unimplemented ??= 'a staple is configured, not asked for';
  const credential = credentialsOf(options, seen, memory);
  const externalPsks = externalPsksOf(options, [], memory);
  if (credential.length === 0 && externalPsks.length === 0)
    memory.unimplemented ??= 'a server without a certificate';
  const required = options.has('require-any-client-certificate');
  const asks = required || options.has('verify-peer');
  if (asks && externalPsks.length > 0) memory.unimplemented ??= PSK_AND_CERTIFICATES;
  return {
    ...common(options, memory),
    alpn: selectedProtocols(options),
    credential,
    externalPsks,
    ...(options.has('no-ticket')
      ? {}
      : {
          sessions: {
            worker: memory.worker,
            identity: 'server',
            binding: 'none',
            ...(options.has('enable-early-data') ? { earlyData: { maxBytes: MAX_EARLY_DATA } } : {}),
          },
        }),
    clientAuthentication: asks
      ? { mode: 'request', required, verifier: verifierOf(current, seen, memory) }
      : { mode: 'none' },
  };
}

const PSK_AND_CERTIFICATES = 'a key from outside is not offered beside certificates';

function externalPsksOf(options: Options, certificates: readonly Credential[], memory: Memory) {
  const externalPsks = options.credentials.map(({ psk }) => psk).filter((psk) => psk !== undefined);
  if (externalPsks.length > 0 && certificates.length > 0) memory.unimplemented ??= PSK_AND_CERTIFICATES;
  const resumes = (options.number('resume-count') ?? 0) > 0 && !options.has('expect-session-miss');
  if (externalPsks.length > 0 && resumes) memory.unimplemented ??= 'a key from outside begins no session';
  return externalPsks;
}

function common(options: Options, memory: Memory) {
  const authorities = options.text('use-client-ca-list');
  const keyShares = options.has('no-key-shares') ? [] : groupsOf(options.numbers('key-shares'), memory);
  const groups = groupsOf(options.numbers('curves'), memory);
  const schemes = schemesOf(options.numbers('verify-prefs'), memory);
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
  return selected === undefined || selected === '' ? [] : [selected];
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

function groupsOf(ids: readonly number[] | undefined, memory: Memory): GroupName[] | undefined {
  const names = ids?.map((id) => {
    const found = (Object.keys(GROUPS) as GroupName[]).find((name) => GROUPS[name].id === id);
    if (found === undefined) memory.unimplemented ??= `group ${hex(id)} is not offered`;
    return found;
  });
  return names?.every((name) => name !== undefined) ? names : undefined;
}

/**
 * What is no scheme of TLS 1.3 (RSA PKCS #1, SHA-1) can't be offered. A case that prefers nothing else wants to see it
 * refused, which it is whatever is offered instead.
 */
function schemesOf(ids: readonly number[] | undefined, memory: Memory): SchemeName[] | undefined {
  if (ids?.some((id) => ML_DSA.has(id))) memory.unimplemented ??= NO_ML_DSA;
  const names = ids?.map(schemeName).filter((name) => name !== undefined);
  return names?.length === 0 ? undefined : names;
}

/** draft-ietf-tls-mldsa: mldsa44, mldsa65, mldsa87. */
const ML_DSA: ReadonlySet<number> = new Set([0x0904, 0x0905, 0x0906]);

function hex(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}

/** DER Names as the runner writes them: hexadecimal, with commas between; `<EMPTY>` and `<NULL>` stand for none. */
function nameList(text: string): Uint8Array[] {
  if (text === '<EMPTY>' || text === '<NULL>' || text === '') return [];
  return text.split(',').map((name) => new Uint8Array(Buffer.from(name, 'hex')));
}
