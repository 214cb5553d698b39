import { concat } from '#runtime';
import { decodeAlpn } from '../extensions/alpn.ts';
import { decodeEarlyDataIndication } from '../extensions/early-data.ts';
import { decodeCertificateAuthorities } from '../extensions/certificate-authorities.ts';
import { decodeExtensions, type Extensions } from '../extensions/extensions.ts';
import { decodeClientShares, type KeyShareEntry } from '../extensions/key-share.ts';
import { decodeNumbers } from '../extensions/numbers.ts';
import { EXTENSIONS, type ExtensionName } from '../extensions/placement.ts';
import { decodeOfferedPsks, type OfferedPsks } from '../extensions/pre-shared-key.ts';
import { decodePskModes } from '../extensions/psk-key-exchange-modes.ts';
import { decodeServerName } from '../extensions/server-name.ts';
import { decodeStatusRequest } from '../extensions/status-request.ts';
import { decodeOfferedVersions, TLS12 } from '../extensions/supported-versions.ts';
import { fail } from '../reasons.ts';
import { Reader } from '../wire/reader.ts';
import { numbers16, u16, vector8 } from '../wire/writer.ts';

/** RFC 8446 4.1.2. `undefined` stands for an extension that isn't there. */
export interface ClientHello {
  readonly legacyVersion: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly suites: readonly number[];
  readonly compressionMethods: Uint8Array;
  readonly extensions: Extensions;
  readonly versions: readonly number[] | undefined;
  readonly serverName: string | undefined;
  readonly alpn: readonly string[] | undefined;
  readonly groups: readonly number[] | undefined;
  readonly schemes: readonly number[] | undefined;
  /** RFC 8446 4.2.3: what may sign certificates; `schemes` if the client does not say. */
  readonly certificateSchemes: readonly number[] | undefined;
  readonly authorities: readonly Uint8Array[] | undefined;
  readonly wantsStatus: boolean;
  readonly keyShares: readonly KeyShareEntry[] | undefined;
  /** psk_key_exchange_modes. */
  readonly pskModes: readonly number[] | undefined;
  readonly offeredPsks: OfferedPsks | undefined;
  readonly offersEarlyData: boolean;
}

export function decodeClientHello(body: Uint8Array): ClientHello {
  const reader = new Reader(body, 'ClientHello');
  const legacyVersion = reader.u16();
  const random = reader.bytes(32).slice();
  const sessionId = reader.vector8(0, 32).slice();
  const suites = reader.numbers16();
  const compressionMethods = reader.vector8(1);
  // A hello without extensions is legal before TLS 1.3; it then fails for its version, not for its form.
  const extensions = decodeExtensions(reader.left === 0 ? new Reader(u16(0), 'ClientHello') : reader, 'CH');
  reader.finish();
  requirePreSharedKeyLast(extensions);
  const decode = <T>(extension: Uint8Array | undefined, decoder: (bytes: Uint8Array) => T): T | undefined =>
    extension === undefined ? undefined : decoder(extension);
  const numbersOf = (name: ExtensionName): number[] | undefined =>
    decode(extensions.get(name), (bytes) => decodeNumbers(bytes, name));
  const schemes = numbersOf('signature_algorithms');
  return {
    legacyVersion,
    random,
    sessionId,
    suites,
    compressionMethods,
    extensions,
    versions: decode(extensions.get('supported_versions'), decodeOfferedVersions),
    serverName: decode(extensions.get('server_name'), decodeServerName),
    alpn: decode(extensions.get('application_layer_protocol_negotiation'), decodeAlpn),
    groups: numbersOf('supported_groups'),
    schemes,
    certificateSchemes: numbersOf('signature_algorithms_cert') ?? schemes,
    authorities: decode(extensions.get('certificate_authorities'), decodeCertificateAuthorities),
    wantsStatus: decode(extensions.get('status_request'), decodeStatusRequest) ?? false,
    keyShares: decode(extensions.get('key_share'), decodeClientShares),
    pskModes: decode(extensions.get('psk_key_exchange_modes'), decodePskModes),
    offeredPsks: decode(extensions.get('pre_shared_key'), decodeOfferedPsks),
    offersEarlyData: decodeEarlyDataIndication(extensions.get('early_data')),
  };
}

/** The body of a ClientHello; `extensions` is their encoded vector. */
export function encodeClientHello(hello: {
  random: Uint8Array;
  sessionId: Uint8Array;
  suites: readonly number[];
  extensions: Uint8Array;
}): Uint8Array {
  const nullCompression = Uint8Array.of(0);
  return concat(
    u16(TLS12),
    hello.random,
    vector8(hello.sessionId),
    numbers16(hello.suites),
    vector8(nullCompression),
    hello.extensions,
  );
}

/** RFC 8446 4.2.11: "The pre_shared_key extension MUST be the last extension in the ClientHello". */
function requirePreSharedKeyLast(extensions: Extensions): void {
  if (extensions.get('pre_shared_key') === undefined) return;
  if (extensions.ids().at(-1) !== EXTENSIONS.pre_shared_key.id) {
    fail('illegal-parameter', 'pre_shared_key is not the last extension');
  }
}
