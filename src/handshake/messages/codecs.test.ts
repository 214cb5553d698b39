import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, EMPTY } from '#runtime';
import { decodeAlpn, decodeSelectedAlpn, encodeAlpn } from '../extensions/alpn.ts';
import { encodeCertificateAuthorities } from '../extensions/certificate-authorities.ts';
import { OCSP_REQUEST } from '../extensions/status-request.ts';
import { decodeCookie, encodeCookie } from '../extensions/cookie.ts';
import { EARLY_DATA_INDICATION } from '../extensions/early-data.ts';
import { encodeExtensions } from '../extensions/extensions.ts';
import {
  decodeClientShares,
  decodeRetryGroup,
  decodeServerShare,
  encodeClientShares,
  encodeServerShare,
} from '../extensions/key-share.ts';
import { decodeNumbers } from '../extensions/numbers.ts';
import { encodeOfferedPsks } from '../extensions/pre-shared-key.ts';
import { encodePskModes } from '../extensions/psk-key-exchange-modes.ts';
import { encodeCertificateSchemes } from '../extensions/signature-algorithms.ts';
import { decodeServerName, encodeServerName } from '../extensions/server-name.ts';
import {
  decodeOfferedVersions,
  decodeSelectedVersion,
  encodeOfferedVersions,
} from '../extensions/supported-versions.ts';
import { TlsError } from '../reason.ts';
import { WELL_FORMED } from '../testing/bodies.ts';
import { numbers16, u8, u16 } from '../wire/writer.ts';
import { decodeCertificate, encodeCertificate, leafStatus } from './certificate.ts';
import { decodeCertificateRequest, encodeCertificateRequest } from './certificate-request.ts';
import { decodeCertificateVerify, encodeCertificateVerify } from './certificate-verify.ts';
import { decodeClientHello, encodeClientHello } from './client-hello.ts';
import { decodeEncryptedExtensions, encodeEncryptedExtensions } from './encrypted-extensions.ts';
import { decodeKeyUpdate, encodeKeyUpdate } from './key-update.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { HANDSHAKE_TYPES, type MessageName } from './names.ts';
import { decodeNewSessionTicket, encodeNewSessionTicket } from './new-session-ticket.ts';
import { decodeServerHello, encodeServerHello } from './server-hello.ts';

const number16 = fc.integer({ min: 0, max: 0xffff });
const numbers = fc.array(number16, { minLength: 1, maxLength: 20 });
const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const protocol = fc.string({ unit: fc.constantFrom(...'abcXYZ019/.-~!'), minLength: 1, maxLength: 30 });
const protocols = fc.array(protocol, { minLength: 1, maxLength: 5 });
const serverName = fc
  .array(fc.string({ unit: fc.constantFrom(...'abcdef019-'), minLength: 1, maxLength: 20 }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((labels) => labels.join('.'));
const share = fc.record({ group: number16, keyExchange: bytes(1, 80) });
const shares = fc.uniqueArray(share, { selector: ({ group }) => group, minLength: 1, maxLength: 5 });

/** A thing, its encoding and its decoding; what is decoded is compared as plain data. */
interface Codec<T> {
  readonly values: fc.Arbitrary<T>;
  encode(value: T): Uint8Array;
  decode(encoded: Uint8Array): unknown;
  /** What the decoder should give, if that is not the value itself. */
  expected?(value: T): unknown;
  /** Lengths at which a cut encoding is well-formed again. */
  wholeAt?(value: T): readonly number[];
}

/** Forgets the type of the values; a row's own functions never meet another row's values. */
const codec = <T>(row: Codec<T>): Codec<unknown> => row;

const clientHello = fc.record({
  random: bytes(32, 32),
  sessionId: bytes(0, 32),
  suites: numbers,
  serverName,
  alpn: protocols,
  groups: numbers,
  schemes: numbers,
  certificateSchemes: numbers,
  authorities: fc.array(bytes(1, 60), { minLength: 1, maxLength: 5 }),
  wantsStatus: fc.boolean(),
  keyShares: shares,
  versions: fc.array(number16, { minLength: 1, maxLength: 10 }),
  identities: fc.array(
    fc.record({ identity: bytes(1, 60), obfuscatedAge: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
    { minLength: 1, maxLength: 3 },
  ),
  binderLength: fc.constantFrom(32, 48),
});

const CODECS: Readonly<Record<string, Codec<unknown>>> = {
  'server_name (RFC 6066 3)': codec({
    values: serverName,
    encode: encodeServerName,
    decode: decodeServerName,
  }),
  'protocols (RFC 7301 3.1)': codec({ values: protocols, encode: encodeAlpn, decode: decodeAlpn }),
  'chosen protocol (RFC 7301 3.1)': codec({
    values: protocol,
    encode: (name) => encodeAlpn([name]),
    decode: decodeSelectedAlpn,
  }),
  'cookie (4.2.2)': codec({ values: bytes(1, 300), encode: encodeCookie, decode: decodeCookie }),
  'key_share of a client (4.2.8)': codec({
    values: shares,
    encode: encodeClientShares,
    decode: decodeClientShares,
  }),
  'key_share of a server (4.2.8)': codec({
    values: share,
    encode: encodeServerShare,
    decode: decodeServerShare,
  }),
  'key_share of a retry (4.2.8)': codec({ values: number16, encode: u16, decode: decodeRetryGroup }),
  'groups and schemes (4.2.3, 4.2.7)': codec({
    values: numbers,
    encode: numbers16,
    decode: (body) => decodeNumbers(body, 'test'),
  }),
  'offered versions (4.2.1)': codec({
    values: fc.array(number16, { minLength: 1, maxLength: 127 }),
    encode: encodeOfferedVersions,
    decode: decodeOfferedVersions,
  }),
  'selected version (4.2.1)': codec({ values: number16, encode: u16, decode: decodeSelectedVersion }),
  'ClientHello (4.1.2)': codec({
    values: clientHello,
    encode: (hello) =>
      encodeClientHello({
        ...hello,
        extensions: encodeExtensions([
          ['server_name', encodeServerName(hello.serverName)],
          ['supported_groups', numbers16(hello.groups)],
          ['signature_algorithms', numbers16(hello.schemes)],
          ['signature_algorithms_cert', encodeCertificateSchemes(hello.certificateSchemes, hello.schemes)],
          ['application_layer_protocol_negotiation', encodeAlpn(hello.alpn)],
          ['supported_versions', encodeOfferedVersions(hello.versions)],
          ['certificate_authorities', encodeCertificateAuthorities(hello.authorities)],
          ['status_request', hello.wantsStatus ? OCSP_REQUEST : undefined],
          ['key_share', encodeClientShares(hello.keyShares)],
          ['psk_key_exchange_modes', encodePskModes()],
          ['early_data', EARLY_DATA_INDICATION],
          [
            'pre_shared_key',
            encodeOfferedPsks(
              hello.identities,
              hello.identities.map(() => new Uint8Array(hello.binderLength)),
            ),
          ],
        ]),
      }),
    decode: (body) => {
      const { extensions: _, ...fields } = decodeClientHello(body);
      return fields;
    },
    expected: ({ identities, binderLength, ...hello }) => ({
      ...hello,
      legacyVersion: 0x0303,
      compressionMethods: u8(0),
      pskModes: [1],
      offersEarlyData: true,
      offeredPsks: {
        identities,
        binders: identities.map(() => new Uint8Array(binderLength)),
        bindersLength: 2 + identities.length * (1 + binderLength),
      },
    }),
    wholeAt: ({ sessionId, suites }) => [2 + 32 + 1 + sessionId.length + 2 + 2 * suites.length + 2],
  }),
  'ServerHello (4.1.3)': codec({
    values: fc.record({ random: bytes(32, 32), sessionId: bytes(0, 32), suite: number16, version: number16 }),
    encode: (hello) =>
      encodeServerHello({
        ...hello,
        extensions: encodeExtensions([['supported_versions', u16(hello.version)]]),
      }),
    decode: (body) => {
      const { extensions, ...fields } = decodeServerHello(body);
      const version = extensions.get('supported_versions');
      return { ...fields, version: version && decodeSelectedVersion(version) };
    },
    expected: (hello) => ({ ...hello, isRetry: false, legacyVersion: 0x0303, compressionMethod: 0 }),
    wholeAt: ({ sessionId }) => [2 + 32 + 1 + sessionId.length + 2 + 1],
  }),
  'EncryptedExtensions (4.3.1)': codec({
    values: fc.record({
      alpn: fc.option(protocol, { nil: undefined }),
      acknowledgesServerName: fc.boolean(),
      acceptsEarlyData: fc.boolean(),
    }),
    encode: encodeEncryptedExtensions,
    decode: (body) => {
      const { alpn, extensions, acceptsEarlyData } = decodeEncryptedExtensions(body);
      return { alpn, acknowledgesServerName: extensions.get('server_name') !== undefined, acceptsEarlyData };
    },
  }),
  'CertificateRequest (4.3.2)': codec({
    values: fc.record({
      schemes: numbers,
      certificateSchemes: numbers,
      authorities: fc.option(fc.array(bytes(1, 60), { minLength: 1, maxLength: 5 }), { nil: undefined }),
      wantsStatus: fc.boolean(),
    }),
    encode: encodeCertificateRequest,
    decode: decodeCertificateRequest,
    expected: (lists) => ({ context: EMPTY, ...lists }),
  }),
  'Certificate (4.4.2)': codec({
    values: fc.record({
      context: bytes(0, 255),
      chain: fc.array(bytes(1, 300), { minLength: 1, maxLength: 10 }),
      status: fc.option(bytes(1, 300), { nil: undefined }),
    }),
    encode: ({ context, chain, status }) => encodeCertificate(context, chain, status),
    decode: (body) => {
      const certificate = decodeCertificate(body);
      const { context, chain } = certificate;
      return { context, chain, status: leafStatus(certificate, ['status_request']) };
    },
  }),
  'CertificateVerify (4.4.3)': codec({
    values: fc.record({ scheme: number16, signature: bytes(0, 512) }),
    encode: encodeCertificateVerify,
    decode: decodeCertificateVerify,
  }),
  'NewSessionTicket (4.6.1)': codec({
    values: fc.record({
      lifetimeSeconds: fc.integer({ min: 0, max: 604_800 }),
      ageAdd: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      nonce: bytes(0, 255),
      ticket: bytes(1, 600),
      earlyDataLimit: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    }),
    encode: encodeNewSessionTicket,
    decode: decodeNewSessionTicket,
  }),
  'KeyUpdate (4.6.3)': codec({
    values: fc.record({ updateRequested: fc.boolean() }),
    encode: encodeKeyUpdate,
    decode: decodeKeyUpdate,
  }),
};

describe.each(Object.entries(CODECS))('%s', (_name, { values, encode, decode, expected, wholeAt }) => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(plain(decode(encode(value)))).toEqual(plain(expected === undefined ? value : expected(value)));
      }),
    );
  });

  it('cut at any byte is malformed, and so is a byte too many', () => {
    fc.assert(
      fc.property(values, (value) => {
        const encoded = encode(value);
        const whole = wholeAt?.(value) ?? [];
        for (let length = 0; length < encoded.length; length += 1) {
          if (whole.includes(length)) continue;
          expect(reasonOf(() => decode(encoded.subarray(0, length)))).toBe('malformed-message');
        }
        expect(reasonOf(() => decode(concat(encoded, u8(0))))).toBe('malformed-message');
      }),
      { numRuns: 15 },
    );
  });

  it('of changed bytes is read or refused, never worse', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, mask) => {
        const changed = encode(value).slice();
        changed[at % changed.length]! ^= mask;
        reasonOf(() => decode(changed));
      }),
      { numRuns: 300 },
    );
  });
});

describe('every handshake message', () => {
  const names = Object.keys(HANDSHAKE_TYPES) as MessageName[];

  it.each(names)('%s of any bytes is read or refused, never worse', (name) => {
    fc.assert(
      fc.property(bytes(0, 400), (body) => {
        reasonOf(() => decodeMessage(name, encodeMessage(name, body)));
      }),
      { numRuns: 300 },
    );
  });

  it.each(names)('%s: the sample of these tests is well-formed', (name) => {
    const { raw } = decodeMessage(name, encodeMessage(name, WELL_FORMED[name]));
    expect(raw[0]).toBe(HANDSHAKE_TYPES[name]);
  });

  it('NewSessionTicket says what it holds (4.6.1)', () => {
    expect(decodeNewSessionTicket(WELL_FORMED.new_session_ticket)).toEqual({
      lifetimeSeconds: 7200,
      ageAdd: 1,
      nonce: u8(0),
      ticket: new Uint8Array(Buffer.from('ticket')),
      earlyDataLimit: 0,
    });
  });
});

/** The code of the refusal, or undefined if there was none. Any other exception is a failure of the test. */
function reasonOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof TlsError) return error.code;
    throw error;
  }
}

/** Byte arrays of any class as arrays of numbers. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]));
}
