import { TlsError } from '#handshake';
import { MESH_PROTOCOL } from '../credential.ts';
import { ClientHelloPeek } from '../detect/client-hello.ts';
import { FirstBytes, hasAny } from '../detect/first-bytes.ts';
import type { InboundParts } from '../parts.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import type { Accepted } from './accept.ts';
import { factsOf, Permit } from './authorize.ts';

/** Step 2: what the first bytes, which are in `head`, say it is. */
export interface Detected extends Accepted {
  readonly carriage: 'mesh' | 'plaintext';
  readonly head: Uint8Array;
}

/** A peer that connected and left without a byte: a port check, and no failure of anything. */
export type Gone = 'gone';

/** A peer that may be anybody and has said nothing so far. The port is open to plaintext. */
export interface Silent extends Accepted {
  readonly first: FirstBytes;
  /** As somebody without an identity. */
  readonly permit: Permit;
}

/**
 * Strict ports look at one byte only, to tell plaintext from broken TLS in the log. On other ports a connection is ours
 * if its ClientHello offers our protocol, which only sidecars do; the application's own TLS is plaintext to us. A peer
 * that stays silent may speak a protocol where the client waits, or be a sidecar that has not come to it yet.
 */
export async function detect(accepted: Accepted, parts: InboundParts): Promise<Detected | Silent | Gone> {
  return accepted.mode === 'Strict' ? detectStrict(accepted, parts) : detectOpen(accepted, parts);
}

async function detectStrict(accepted: Accepted, { config }: InboundParts): Promise<Detected | Gone> {
  const first = new FirstBytes(accepted.socket, config.clock);
  const left = accepted.deadline - config.clock.monotonic();
  const arrival = await first.until(hasAny, left, accepted.connection.signal);
  if (arrival === 'ended') return 'gone';
  if (arrival === 'timeout') throw new TlsError(SIDECAR_REASONS['first-byte-timeout']);
  return { ...accepted, carriage: isRecordType(first.bytes[0]) ? 'mesh' : 'plaintext', head: first.bytes };
}

async function detectOpen(accepted: Accepted, parts: InboundParts): Promise<Detected | Silent> {
  const { config } = parts;
  const { signal } = accepted.connection;
  const first = new FirstBytes(accepted.socket, config.clock);
  let arrival = await first.until(hasAny, patience(accepted, config), signal);
  if (arrival === 'timeout') {
    const permitted = Permit.decide(config.policies.value, factsOf(accepted, config));
    if (config.policies.value.epoch > 0 && permitted.ok)
      return { ...accepted, first, permit: permitted.value };
    // Only a peer with an identity can pass, so there is nothing to be gained by guessing that it has none.
    arrival = await first.until(hasAny, accepted.deadline - config.clock.monotonic(), signal);
  }
  // Half-closed: a server may still have something to say to it.
  if (arrival !== 'enough') return { ...accepted, carriage: 'plaintext', head: first.bytes };
  return recognise(accepted, first, parts);
}

/** Whose connection it is that began with these bytes, of which more come if they are not enough to tell. */
export async function recognise(
  accepted: Accepted,
  first: FirstBytes,
  { config: { clock, limits } }: InboundParts,
): Promise<Detected> {
  const peek = new ClientHelloPeek(limits.clientHelloBytes);
  const left = accepted.deadline - clock.monotonic();
  const { signal } = accepted.connection;
  const whole = await first.until((bytes) => peek.look(bytes).kind !== 'incomplete', left, signal);
  if (whole === 'timeout') {
    throw new TlsError(SIDECAR_REASONS['detection-timeout'], `${first.bytes.length} bytes came`);
  }
  const found = peek.look(first.bytes);
  const mesh = found.kind === 'tls' && found.alpn.includes(MESH_PROTOCOL);
  // The application could make nothing of it, and the caller would be told nothing.
  if (mesh && accepted.mode === 'Disabled') throw new TlsError(SIDECAR_REASONS['mesh-tls-disabled']);
  return { ...accepted, carriage: mesh ? 'mesh' : 'plaintext', head: first.bytes };
}

/**
 * How long a silent peer may be one that has not spoken yet. Where the protocol begins with the server, only one that is
 * known to have a sidecar will speak first; everybody else waits for the application, so nobody waits for them.
 */
function patience({ connection, target }: Accepted, { capture, limits }: InboundParts['config']): number {
  // Only there does it matter who calls; to look up every caller would let strangers decide what is remembered.
  if (!target.serverFirst) return limits.detectTimeoutMilliseconds;
  const mayBeMeshed = capture?.destinations.value.hasSidecar(connection.start.from.host) ?? true;
  return mayBeMeshed ? limits.detectTimeoutMilliseconds : 0;
}

/** RFC 8446 5.1: ContentType, change_cipher_spec(20) to application_data(23). */
function isRecordType(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 20 && byte <= 23;
}
