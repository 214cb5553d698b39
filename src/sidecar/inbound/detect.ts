import { TlsError } from '#handshake';
import { MESH_PROTOCOL } from '../credential.ts';
import { ClientHelloPeek } from '../detect/client-hello.ts';
import { FirstBytes } from '../detect/first-bytes.ts';
import type { InboundParts } from '../parts.ts';
import { SIDECAR_REASONS } from '../reason.ts';
import type { Accepted } from './accept.ts';

/** Step 2: what the first bytes, which are in `head`, say it is. */
export interface Detected extends Accepted {
  readonly carriage: 'mesh' | 'plaintext';
  readonly head: Uint8Array;
}

/** A peer that connected and left without a byte: a port check, and no failure of anything. */
export type Gone = 'gone';

/**
 * Strict ports look at one byte only, to tell plaintext from broken TLS in the log. On other ports a connection is ours
 * if its ClientHello offers our protocol, which only sidecars do; the application's own TLS is plaintext to us, and so
 * is a peer that stays silent, since in server-first protocols the client waits.
 */
export async function detect(accepted: Accepted, parts: InboundParts): Promise<Detected | Gone> {
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

async function detectOpen(accepted: Accepted, { config }: InboundParts): Promise<Detected | Gone> {
  const { clock, limits } = config;
  const { signal } = accepted.connection;
  const first = new FirstBytes(accepted.socket, clock);
  const plaintext = (): Detected => ({ ...accepted, carriage: 'plaintext', head: first.bytes });
  const arrival = await first.until(hasAny, patience(accepted, config), signal);
  // Silent so far, or half-closed: a server may still have something to say to it.
  if (arrival !== 'enough') return plaintext();
  const peek = new ClientHelloPeek(limits.clientHelloBytes);
  const left = accepted.deadline - clock.monotonic();
  const whole = await first.until((bytes) => peek.look(bytes).kind !== 'incomplete', left, signal);
  if (whole === 'timeout') {
    throw new TlsError(SIDECAR_REASONS['detection-timeout'], `${first.bytes.length} bytes came`);
  }
  const found = peek.look(first.bytes);
  if (found.kind !== 'tls' || !found.alpn.includes(MESH_PROTOCOL)) return plaintext();
  // The application could make nothing of it, and the caller would be told nothing.
  if (accepted.mode === 'Disabled') throw new TlsError(SIDECAR_REASONS['mesh-tls-disabled']);
  return { ...accepted, carriage: 'mesh', head: first.bytes };
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

function hasAny(bytes: Uint8Array): boolean {
  return bytes.length > 0;
}

/** RFC 8446 5.1: ContentType, change_cipher_spec(20) to application_data(23). */
function isRecordType(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 20 && byte <= 23;
}
