import type { ClientConfig, ServerConfig } from '../config.ts';
import { ClientConnection, ServerConnection } from '../connection.ts';
import type { ConnectionEvent } from '../events.ts';
import type { GroupName } from '../groups.ts';
import type { VerifiedPeer } from '../verify/peer-verifier.ts';
import { credentialOf, FakeVerifier, identity } from './credentials.ts';
import { testProvider } from './provider.ts';

/** What a driver needs of a connection; the tampering engine has the same face. */
export interface Endpoint {
  receive(bytes: Uint8Array): void;
  takeOutput(): Uint8Array;
  readonly pending: ClientConnection['pending'];
  resume(resumption: Parameters<ClientConnection['resume']>[0]): void;
}

/** Changes what passes on the wire: gets all bytes of one flight, returns the pieces to deliver. */
export type Tap = (bytes: Uint8Array) => readonly Uint8Array[];

/** More than any handshake needs; a test that gets here would otherwise hang. */
const MOST_STEPS = 10_000;

/** Moves bytes between two endpoints until both are quiet. Only for signers and verifiers that answer at once. */
export function exchange(
  client: Endpoint,
  server: Endpoint,
  toServer: Tap = whole,
  toClient: Tap = whole,
): void {
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const moved = [
      move(client, server, toServer, unpauseFully),
      move(server, client, toClient, unpauseFully),
      unpause(client),
      unpause(server),
    ];
    if (!moved.includes(true)) return;
  }
  throw new Error(`two endpoints still talk after ${MOST_STEPS} steps`);
}

/** Likewise, waiting for promises. */
export async function exchangeLater(client: Endpoint, server: Endpoint): Promise<void> {
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const moved = [move(client, server), move(server, client)];
    for (const endpoint of [client, server]) {
      const { pending } = endpoint;
      moved.push(pending !== undefined);
      if (pending !== undefined) endpoint.resume(await pending.run());
    }
    if (!moved.includes(true)) return;
  }
  throw new Error(`two endpoints still talk after ${MOST_STEPS} steps`);
}

export interface PairOptions {
  readonly client?: Partial<ClientConfig>;
  readonly server?: Partial<ServerConfig>;
}

/** Two engines, what each told its observer, and what each logged of its secrets. */
export interface Pair {
  readonly client: ClientConnection;
  readonly server: ServerConnection;
  readonly clientEvents: ConnectionEvent[];
  readonly serverEvents: ConnectionEvent[];
  readonly clientKeys: string[];
  readonly serverKeys: string[];
}

/** By default: mutual authentication with P-256 keys, one ALPN protocol, a server name. */
/** Not the default: one small share makes hellos that a test can read and change. */
const GROUPS: readonly GroupName[] = ['x25519', 'secp256r1'];

export function clientConfig(overrides: Partial<ClientConfig> = {}): ClientConfig {
  return {
    crypto: testProvider,
    alpn: ['sallyport/1'],
    groups: GROUPS,
    serverName: 'p8080.mesh.test',
    credential: credentialOf(identity('client')),
    verifier: new FakeVerifier([identity('server')]),
    ...overrides,
  };
}

export function serverConfig(overrides: Partial<ServerConfig> = {}): ServerConfig {
  return {
    crypto: testProvider,
    alpn: ['sallyport/1'],
    groups: GROUPS,
    expectedServerName: 'p8080.mesh.test',
    credential: credentialOf(identity('server')),
    clientAuthentication: {
      mode: 'request',
      required: true,
      verifier: new FakeVerifier([identity('client')]),
    },
    ...overrides,
  };
}

export function makePair(options: PairOptions = {}): Pair {
  const clientEvents: ConnectionEvent[] = [];
  const serverEvents: ConnectionEvent[] = [];
  const clientKeys: string[] = [];
  const serverKeys: string[] = [];
  const clientOptions = clientConfig({ keyLog: (line) => clientKeys.push(line), ...options.client });
  const serverOptions = serverConfig({ keyLog: (line) => serverKeys.push(line), ...options.server });
  return {
    client: new ClientConnection<VerifiedPeer>(clientOptions, (event) => clientEvents.push(event)),
    server: new ServerConnection<VerifiedPeer>(serverOptions, (event) => serverEvents.push(event)),
    clientEvents,
    serverEvents,
    clientKeys,
    serverKeys,
  };
}

/** A pair whose handshake is complete. */
export function establishedPair(options: PairOptions = {}): Pair {
  const pair = makePair(options);
  exchange(pair.client, pair.server);
  if (!pair.client.established || !pair.server.established) {
    throw pair.client.failure ?? pair.server.failure ?? new Error('the handshake of a test pair stopped');
  }
  return pair;
}

/** All application data that arrived, joined. */
export function received(connection: ClientConnection | ServerConnection): Uint8Array {
  return Buffer.concat(connection.takePlaintext());
}

function whole(bytes: Uint8Array): readonly Uint8Array[] {
  return [bytes];
}

/** Whoever drives a connection answers its pauses before it gives it more: `between`. */
function move(from: Endpoint, to: Endpoint, tap: Tap = whole, between?: (to: Endpoint) => void): boolean {
  const output = from.takeOutput();
  if (output.length === 0) return false;
  for (const piece of tap(output)) {
    to.receive(piece.slice());
    between?.(to);
  }
  return true;
}

function unpauseFully(endpoint: Endpoint): void {
  while (unpause(endpoint));
}

function unpause(endpoint: Endpoint): boolean {
  const { pending } = endpoint;
  if (pending === undefined) return false;
  const resumption = pending.run();
  if (resumption instanceof Promise) throw new Error('exchange() is for answers that come at once');
  endpoint.resume(resumption);
  return true;
}
