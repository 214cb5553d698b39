import { type ClientConfig, TlsError } from '#handshake';
import { connectTls } from '#handshake/stream';
import { type SpiffePeer, spiffeVerifier } from '#identity';
import { MESH_PROTOCOL, meshServerName } from '../credential.ts';
import { type End, tlsEnd } from '../forward/end.ts';
import { enterOutboundHandshake } from '../listen/admit.ts';
import { formatEndpoint } from '../listen/endpoint.ts';
import type { SidecarParts } from '../parts.ts';
import { unlessEnded } from '../unless-ended.ts';
import type { Accepted } from './accept.ts';
import type { Dialled } from './dial.ts';
import { type MeshRoute, nameOf } from './route.ts';

/**
 * Step 4: mutual TLS with one of the identities of the route. Throws TlsError with the engine's or the verifier's
 * reason; its detail names our identity and those that were expected.
 */
export async function secure(
  accepted: Accepted,
  { route, socket }: Dialled<MeshRoute>,
  parts: SidecarParts,
): Promise<End> {
  const { connection, called } = accepted;
  const { config } = parts;
  const leaveHandshake = enterOutboundHandshake(parts);
  connection.onClose(leaveHandshake);
  connection.phase = 'handshaking';
  const handshake = config.telemetry.startHandshake({
    role: 'client',
    service: config.service,
    local: config.identity.toString(),
    peerAddress: formatEndpoint(route.address),
    destination: nameOf(called, route.port),
  });
  connection.onClose(() => handshake.end());
  const stream = connectTls(socket, clientConfig(route, parts), {
    clock: config.clock,
    handshakeTimeoutMilliseconds: config.limits.handshakeTimeoutMilliseconds,
    observer: handshake.observe,
  });
  const end = tlsEnd(stream, socket);
  connection.hold(end);
  try {
    await unlessEnded(stream.handshake(), connection.signal);
  } catch (error) {
    handshake.end();
    throw withIdentities(error, route, config.identity.toString());
  } finally {
    connection.learned({ traceId: handshake.traceId });
    leaveHandshake();
  }
  const { peer } = stream;
  if (peer === undefined) throw new Error('an established connection has no peer although it was verified');
  connection.peer = peer;
  connection.learned({ peer: peer.identity, peerSerial: peer.serial, resumption: stream.session?.kind });
  return end;
}

function clientConfig(
  { address, held, identities, port, trustDomain }: MeshRoute,
  { config, sessions }: SidecarParts,
): ClientConfig<SpiffePeer> {
  const expected = new Set(identities.map(String));
  const session = sessions?.client(held, { address, identities });
  return {
    crypto: config.crypto,
    alpn: [MESH_PROTOCOL],
    credential: held.credential,
    serverName: meshServerName(port, trustDomain),
    ...(session === undefined ? {} : { sessions: session }),
    verifier: spiffeVerifier({
      bundle: config.bundle,
      clock: config.clock,
      accept: (id) => expected.has(id.toString()),
      acceptText: [...expected].join(' or '),
    }),
  };
}

/** A failed handshake is read by an operator who has to know who called whom. */
function withIdentities(error: unknown, { identities }: MeshRoute, own: string): unknown {
  if (!(error instanceof TlsError)) return error;
  const who = `${own} called ${identities.join(' or ')}`;
  return new TlsError(error.reason, error.detail === '' ? who : `${error.detail}; ${who}`);
}
