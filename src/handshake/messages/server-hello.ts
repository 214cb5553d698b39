import { concat, equal, fromHex } from '#runtime';
import { decodeExtensions, type Extensions } from '../extensions/extensions.ts';
import { TLS12 } from '../extensions/supported-versions.ts';
import { Reader } from '../wire/reader.ts';
import { u8, u16, vector8 } from '../wire/writer.ts';

/** RFC 8446 4.1.3: the SHA-256 of "HelloRetryRequest". */
export const HELLO_RETRY_RANDOM: Uint8Array = fromHex(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c',
);

/** RFC 8446 4.1.3 and 4.1.4: a HelloRetryRequest has the same form and a fixed random. */
export interface ServerHello {
  readonly isRetry: boolean;
  readonly legacyVersion: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly suite: number;
  readonly compressionMethod: number;
  readonly extensions: Extensions;
}

export function decodeServerHello(body: Uint8Array): ServerHello {
  const reader = new Reader(body, 'ServerHello');
  const legacyVersion = reader.u16();
  const random = reader.bytes(32).slice();
  const sessionId = reader.vector8(0, 32).slice();
  const suite = reader.u16();
  const compressionMethod = reader.u8();
  const isRetry = equal(random, HELLO_RETRY_RANDOM);
  // Before TLS 1.3 the extensions may be missing altogether; the version check then gives the reason.
  const extensions = decodeExtensions(
    reader.left === 0 ? new Reader(u16(0), 'ServerHello') : reader,
    isRetry ? 'HRR' : 'SH',
  );
  reader.finish();
  return { isRetry, legacyVersion, random, sessionId, suite, compressionMethod, extensions };
}

/** The body of a ServerHello or HelloRetryRequest; `extensions` is their encoded vector. */
export function encodeServerHello(hello: {
  random: Uint8Array;
  sessionId: Uint8Array;
  suite: number;
  extensions: Uint8Array;
}): Uint8Array {
  const nullCompression = u8(0);
  return concat(
    u16(TLS12),
    hello.random,
    vector8(hello.sessionId),
    u16(hello.suite),
    nullCompression,
    hello.extensions,
  );
}
