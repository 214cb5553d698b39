import type { ServerConfig } from '#handshake';
import { acceptTls, type TlsStream } from '#handshake/stream';
import type { SpiffePeer } from '#identity';
import type { HandshakeRecorder } from '#telemetry';
import { MESH_PROTOCOL, meshServerName, usableCredential } from '../credential.ts';
import { type End, inPlaintext, tlsEnd } from '../forward/end.ts';
import { formatEndpoint } from '../listen/endpoint.ts';
import type { InboundParts } from '../parts.ts';
import { unlessEnded } from '../unless-ended.ts';
import type { Detected } from './detect.ts';

/** Step 3: who calls. `peer` is verified; without one it is plaintext and nobody. */
export interface Caller extends Detected {
  readonly peer: SpiffePeer | undefined;
  /** The mesh connection; undefined in plaintext. */
  readonly tls: TlsStream<SpiffePeer> | undefined;
  /** The caller's bytes: what it sends inside TLS, or as it sends it. */
  readonly end: End;
  /** What the caller sent in plaintext while it was detected, still to be passed on. */
  readonly unread: Uint8Array;
  /** Undefined where no handshake was to be expected: plaintext that the port's mode admits. */
  readonly handshake: HandshakeRecorder | undefined;
}

export async function identify(detected: Detected, parts: InboundParts): Promise<Caller> {
  detected.connection.carriage = detected.carriage;
  return detected.carriage === 'mesh' ? authenticate(detected, parts) : anonymous(detected, parts);
}

/** Throws TlsError with the engine's or the verifier's reason; the caller was sent the alert then. */
async function authenticate(detected: Detected, parts: InboundParts): Promise<Caller> {
  const { connection, socket, head, target } = detected;
  const { config } = parts;
  const held = usableCredential(config);
  connection.localSerial = held.serial;
  connection.learned({ mode: 'mtls', localSerial: held.serial });
  const handshake = recordHandshake(detected, parts);
  const sessions = parts.sessions?.server(held);
  const server: ServerConfig<SpiffePeer> = {
    crypto: config.crypto,
    alpn: [MESH_PROTOCOL],
    credential: held.credential,
    expectedServerName: meshServerName(target.port, config.identity.trustDomain),
    clientAuthentication: { mode: 'request', required: true, verifier: parts.callers },
    ...(sessions === undefined ? {} : { sessions }),
  };
  const stream = acceptTls(
    socket,
    server,
    {
      clock: config.clock,
      handshakeTimeoutMilliseconds: Math.max(Math.ceil(detected.deadline - config.clock.monotonic()), 1),
      observer: handshake.observe,
    },
    head,
  );
  const end = tlsEnd(stream, socket);
  connection.hold(end);
  try {
    await unlessEnded(stream.handshake(), connection.signal);
  } finally {
    connection.learned({ traceId: handshake.traceId });
  }
  const { peer } = stream;
  if (peer === undefined) throw new Error('an established connection has no peer although one was required');
  connection.peer = peer;
  connection.learned({ peer: peer.identity, peerSerial: peer.serial, resumption: stream.session?.kind });
  return { ...detected, peer, tls: stream, end, unread: NOTHING, handshake };
}

/** On a Strict port the missing handshake is what failed, so it has a record like any other that failed. */
function anonymous(detected: Detected, parts: InboundParts): Caller {
  const { connection, head } = detected;
  connection.learned({ mode: 'plaintext' });
  const handshake = detected.mode === 'Strict' ? recordHandshake(detected, parts) : undefined;
  const end = inPlaintext(detected.end, parts.config.capture?.resetOnDeath);
  return { ...detected, peer: undefined, tls: undefined, end, unread: head, handshake };
}

function recordHandshake({ connection }: Detected, { config }: InboundParts): HandshakeRecorder {
  const handshake = config.telemetry.startHandshake({
    role: 'server',
    service: config.service,
    local: config.identity.toString(),
    peerAddress: formatEndpoint(connection.start.from),
  });
  connection.onClose(() => handshake.end());
  return handshake;
}

const NOTHING = new Uint8Array(0);
