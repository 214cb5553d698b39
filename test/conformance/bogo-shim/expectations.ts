import { EMPTY, equal } from '#runtime';
import { type ConnectionEvent, GROUPS, SCHEMES, type SessionUse, SUITES } from '#handshake';
import { protocolList } from './configuration.ts';
import { readChain } from './credentials.ts';
import { earlyDataReason } from './early-data-reason.ts';
import type { Options } from './flags.ts';
import type { Memory } from './memory.ts';
import type { Seen } from './verifier.ts';

type SessionEvent = Extract<ConnectionEvent, { type: 'session' }>;

/** What a handshake came to, in the numbers that the runner speaks. */
export class Negotiated {
  serverName: string | undefined;
  offeredAlpn: readonly string[] = [];
  suite: number | undefined;
  group: number | undefined;
  helloRetry = false;
  scheme: number | undefined;
  alpn: string | undefined;
  session: SessionEvent | undefined;
  /** Types of the handshake messages that came, as far as a case asks for them. */
  readonly received = new Set<number>();

  get use(): SessionUse | undefined {
    return this.session?.use;
  }

  observe(event: ConnectionEvent): void {
    if (event.type === 'client-hello') {
      this.serverName = event.serverName;
      this.offeredAlpn = event.alpn;
    } else if (event.type === 'server-hello') {
      this.suite = SUITES[event.suite].id;
      this.group = GROUPS[event.group].id;
      this.helloRetry = event.helloRetry;
    } else if (event.type === 'peer-verified' && event.scheme !== undefined) {
      this.scheme = SCHEMES[event.scheme].id;
    } else if (event.type === 'alpn') {
      this.alpn = event.protocol;
    } else if (event.type === 'session') {
      this.session = event;
    } else if (event.type === 'message' && event.direction === 'received') {
      const number = MESSAGES[event.message];
      if (number !== undefined) this.received.add(number);
    }
  }
}

/** RFC 8446 4: HandshakeType of what a server sends. */
const MESSAGES: Readonly<Record<string, number>> = {
  server_hello: 2,
  encrypted_extensions: 8,
  certificate: 11,
  certificate_request: 13,
  certificate_verify: 15,
  finished: 20,
};

interface Facts {
  readonly options: Options;
  readonly resumes: boolean;
  readonly negotiated: Negotiated;
  readonly peer: Seen;
}

type Check = (facts: Facts) => boolean;

/** The first expectation of a case that its handshake does not meet, in words; undefined if it meets all. */
export function checkHandshake(
  options: Options,
  resumes: boolean,
  negotiated: Negotiated,
  peer: Seen,
): string | undefined {
  const facts = { options, resumes, negotiated, peer };
  return Object.entries(CHECKS).find(([, holds]) => !holds(facts))?.[0];
}

/** Likewise of the session that a client has at the end. Beside keys from outside there are none. */
export function checkSession(options: Options, memory: Memory): string | undefined {
  const { newest } = memory.cache;
  if (options.has('new-psk-credential') || options.has('shim-shuts-down')) return undefined;
  const expected = !options.has('expect-no-session');
  if (expected !== (newest !== undefined)) return 'a session was kept, or not, against expectation';
  const early = (newest?.earlyDataLimit ?? 0) > 0;
  return expected && early !== options.has('expect-ticket-supports-early-data')
    ? 'a session allows early data, or not, against expectation'
    : undefined;
}

const CHECKS: Readonly<Record<string, Check>> = {
  'the version is not the expected one': ({ options }) => wanted(options.number('expect-version'), 0x0304),
  'the cipher suite is not the expected one': ({ options, negotiated }) =>
    wanted(options.number('expect-cipher'), negotiated.suite) &&
    wanted(options.number('expect-cipher-aes'), negotiated.suite),
  'the group is not the expected one': ({ options, negotiated }) =>
    wanted(options.number('expect-curve-id'), negotiated.group),
  // In a resumed handshake nothing is signed and nothing stapled: BoringSSL shows what it remembers.
  "the peer's signature scheme is not the expected one": ({ options, negotiated }) =>
    negotiated.use?.kind === 'resumed' ||
    wanted(options.number('expect-peer-signature-algorithm'), negotiated.scheme),
  'a session was used, or not, against expectation': ({ options, resumes, negotiated }) =>
    (negotiated.use?.kind === 'resumed') === (resumes && !options.has('expect-session-miss')),
  'early data was taken, or not, against expectation': ({ options, negotiated }) =>
    !(options.has('expect-accept-early-data') && negotiated.use?.earlyData !== 'accepted') &&
    !(options.has('expect-reject-early-data') && negotiated.use?.earlyData === 'accepted') &&
    !(options.has('expect-no-offer-early-data') && negotiated.use?.earlyData !== 'none'),
  'the fate of early data has another reason': ({ options, negotiated }) => {
    const expected = options.text('expect-early-data-reason');
    return expected === undefined || expected === earlyDataReason(options, negotiated);
  },
  'a HelloRetryRequest, or none, against expectation': ({ options, negotiated }) =>
    !(options.has('expect-hrr') && !negotiated.helloRetry) &&
    !(options.has('expect-no-hrr') && negotiated.helloRetry),
  'the server name is not the expected one': ({ options, negotiated }) =>
    wanted(options.text('expect-server-name'), negotiated.serverName),
  'the protocol is not the expected one': ({ options, negotiated }) =>
    (negotiated.alpn ?? '') === (options.text(options.has('server') ? 'select-alpn' : 'expect-alpn') ?? ''),
  'the offered protocols are not the expected ones': ({ options, negotiated }) => {
    const expected = options.text('expect-advertised-alpn');
    return expected === undefined || protocolList(expected).join() === negotiated.offeredAlpn.join();
  },
  'the OCSP response is not the expected one': ({ options, negotiated, peer }) => {
    const expected = options.text('expect-ocsp-response');
    if (expected === undefined || negotiated.use?.kind === 'resumed') return true;
    return equal(Buffer.from(expected, 'base64'), peer.ocspResponse ?? EMPTY);
  },
  'the verdict on the certificate is not the expected one': ({ options, peer }) =>
    !options.has('expect-verify-result') ||
    (peer.verification ?? 'passed') === (options.has('verify-fail') ? 'failed' : 'passed'),
  'another credential was used': ({ options, negotiated, peer }) =>
    negotiated.use?.kind === 'external' ||
    wanted(options.number('expect-selected-credential'), peer.selectedCredential),
  'no certificate of the peer': ({ options, negotiated, peer }) =>
    peer.chain !== undefined ||
    negotiated.use?.kind !== 'full' ||
    options.has('expect-no-peer-cert') ||
    (options.has('server') && !options.has('require-any-client-certificate')),
  'a certificate of the peer': ({ options, peer }) =>
    !(options.has('expect-no-peer-cert') && peer.chain !== undefined),
  'the certificates of the peer are not the expected ones': ({ options, peer }) => {
    const file = options.text('expect-peer-cert-file');
    return file === undefined || sameChain(file, peer.chain ?? []);
  },
};

function wanted<T>(expected: T | undefined, found: T | undefined): boolean {
  return expected === undefined || expected === found;
}

function sameChain(file: string, chain: readonly Uint8Array[]): boolean {
  const expected = readChain(file).map(({ raw }) => raw);
  return expected.length === chain.length && expected.every((der, index) => equal(der, chain[index]!));
}
