import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { EMPTY, equal } from '#runtime';
import type { ClientConnection, ServerConnection } from '#handshake';
import { protocolList, type Seen } from './configuration.ts';
import type { Options } from './flags.ts';

/** What a handshake came to, in the numbers that the runner speaks. */
export interface Negotiated {
  serverName?: string | undefined;
  offeredAlpn?: readonly string[];
  suite?: number;
  group?: number;
  helloRetry?: boolean;
  scheme?: number;
}

type Check = (seen: Facts) => boolean;

interface Facts {
  readonly options: Options;
  readonly resumes: boolean;
  readonly connection: ClientConnection | ServerConnection;
  readonly negotiated: Negotiated;
  readonly peer: Seen;
}

/** The first expectation of a case that its handshake does not meet, in words; undefined if it meets all. */
export function checkHandshake(
  options: Options,
  resumes: boolean,
  connection: ClientConnection | ServerConnection,
  negotiated: Negotiated,
  peer: Seen,
): string | undefined {
  const facts = { options, resumes, connection, negotiated, peer };
  return Object.entries(CHECKS).find(([, holds]) => !holds(facts))?.[0];
}

const CHECKS: Readonly<Record<string, Check>> = {
  'the version is not the expected one': ({ options }) => wanted(options.number('expect-version'), 0x0304),
  'the cipher suite is not the expected one': ({ options, negotiated }) =>
    wanted(options.number('expect-cipher'), negotiated.suite) &&
    wanted(options.number('expect-cipher-aes'), negotiated.suite),
  'the group is not the expected one': ({ options, negotiated }) =>
    wanted(options.number('expect-curve-id'), negotiated.group),
  "the peer's signature scheme is not the expected one": ({ options, negotiated }) =>
    wanted(options.number('expect-peer-signature-algorithm'), negotiated.scheme),
  'a session was used, or not, against expectation': ({ options, resumes, connection }) =>
    (connection.session?.kind === 'resumed') === (resumes && !options.has('expect-session-miss')),
  'a HelloRetryRequest, or none, against expectation': ({ options, negotiated }) =>
    !(options.has('expect-hrr') && negotiated.helloRetry !== true) &&
    !(options.has('expect-no-hrr') && negotiated.helloRetry === true),
  'the server name is not the expected one': ({ options, negotiated }) =>
    wanted(options.text('expect-server-name'), negotiated.serverName),
  'the protocol is not the expected one': ({ options, connection }) =>
    connection.alpn === (options.text(options.has('server') ? 'select-alpn' : 'expect-alpn') ?? undefined),
  'the offered protocols are not the expected ones': ({ options, negotiated }) => {
    const expected = options.text('expect-advertised-alpn');
    return expected === undefined || protocolList(expected).join() === negotiated.offeredAlpn?.join();
  },
  'the OCSP response is not the expected one': ({ options, peer }) => {
    const expected = options.text('expect-ocsp-response');
    return expected === undefined || equal(Buffer.from(expected, 'base64'), peer.ocspResponse ?? EMPTY);
  },
  'another credential was used': ({ options, peer }) =>
    wanted(options.number('expect-selected-credential'), peer.selectedCredential),
  'no certificate of the peer': ({ options, resumes, peer }) =>
    peer.chain !== undefined ||
    resumes ||
    options.has('expect-no-peer-cert') ||
    (options.has('server') && !options.has('require-any-client-certificate')),
  'the certificates of the peer are not the expected ones': ({ options, peer }) => {
    const file = options.text('expect-peer-cert-file');
    return file === undefined || sameChain(readFileSync(file, 'utf8'), peer.chain ?? []);
  },
};

function wanted<T>(expected: T | undefined, found: T | undefined): boolean {
  return expected === undefined || expected === found;
}

function sameChain(pem: string, chain: readonly Uint8Array[]): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const expected = blocks.map((block) => new X509Certificate(block).raw);
  return expected.length === chain.length && expected.every((der, index) => equal(der, chain[index]!));
}
