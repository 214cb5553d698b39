import { createHash } from 'node:crypto';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { type ConnectionEvent, type Operation, reasonTable, TlsError, type VerifiedPeer } from '#handshake';
import { type Log, silentLog } from '#runtime';
import { FakeClock } from '#runtime/testing';
import type { HandshakeSubject } from '../handshake-record.ts';
import type { HandshakeRecorder } from '../handshake-recorder.ts';
import type { Environment } from '../settings.ts';
import { Telemetry, type TelemetryConfig } from '../telemetry.ts';

/** Stand-ins for rows of the engine's and the policy's tables. */
export const REASONS = reasonTable({
  'alert-received': {
    alert: undefined,
    blame: 'peer',
    rfc: '8446#6.2',
    say: 'The peer ended the connection with an alert.',
    next: "Read the peer's log.",
  },
  'no-common-suite': {
    alert: 'handshake_failure',
    blame: 'peer',
    rfc: '8446#4.1.1',
    say: 'The client offers no cipher suite that we accept.',
    next: 'Compare the suites of both sides.',
  },
  'unknown-issuer': {
    alert: 'unknown_ca',
    blame: 'peer',
    rfc: '5280#6.1',
    say: 'The certificate leads to no root that we trust.',
    next: 'Compare the trust bundles of both sides.',
  },
  'handshake-timeout': {
    alert: 'user_canceled',
    blame: 'network',
    rfc: 'none',
    say: 'The handshake took longer than its limit.',
    next: 'Look whether the peer runs a sidecar.',
  },
  'transport-reset': {
    alert: undefined,
    blame: 'network',
    rfc: 'none',
    say: 'The transport was reset.',
    next: 'Look whether the peer is still there.',
  },
  'denied-by-policy': {
    alert: 'access_denied',
    blame: 'operator',
    rfc: 'none',
    say: 'No policy allows this caller.',
    next: 'Add an Allow rule for it.',
  },
});

const SERVER_PEER = peer('spiffe://shop/ns/default/sa/orders', '0a01');
const CLIENT_PEER = peer('spiffe://shop/ns/default/sa/web', '0b02');

function peer(identity: string, serial: string): VerifiedPeer {
  return {
    publicKey: new Uint8Array(91),
    keyType: 'ec-p256',
    identity,
    serial,
    notAfter: Date.UTC(2026, 0, 2),
  };
}

export interface World {
  readonly clock: FakeClock;
  readonly telemetry: Telemetry;
  /** Spans that were exported, oldest first. */
  spans(): ReadableSpan[];
  /** The two sides of one connection. */
  client(): Side;
  server(): Side;
}

export function world(
  config: Partial<TelemetryConfig> & { environment?: Environment; log?: Log } = {},
): World {
  const clock = new FakeClock();
  const exporter = new InMemorySpanExporter();
  const telemetry = Telemetry.create({
    clock,
    log: silentLog,
    environment: {},
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    ...config,
  });
  const side = (subject: HandshakeSubject) => new Side(telemetry.startHandshake(subject), clock);
  return {
    clock,
    telemetry,
    spans: () => exporter.getFinishedSpans(),
    client: () =>
      side({
        role: 'client',
        service: 'web',
        local: CLIENT_PEER.identity,
        peerAddress: '127.0.0.1:15006',
        destination: 'orders:8080',
      }),
    server: () =>
      side({ role: 'server', service: 'orders', local: SERVER_PEER.identity, peerAddress: '[::1]:40312' }),
  };
}

/** Plays events to a recorder, each a little later than the one before. */
export class Side {
  readonly recorder: HandshakeRecorder;
  readonly #clock: FakeClock;

  constructor(recorder: HandshakeRecorder, clock: FakeClock) {
    this.recorder = recorder;
    this.#clock = clock;
  }

  async play(...events: readonly (ConnectionEvent | number)[]): Promise<void> {
    for (const event of events) {
      if (typeof event === 'number') await this.#clock.advance(event);
      else this.recorder.observe(event);
    }
  }
}

export function random(seed: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(seed).digest());
}

export function clientHello(seed: string): ConnectionEvent {
  return {
    type: 'client-hello',
    random: random(`client ${seed}`),
    serverName: 'p8080.shop',
    alpn: ['sallyport/1'],
  };
}

export function serverHello(seed: string, helloRetry = false): ConnectionEvent {
  return {
    type: 'server-hello',
    random: random(`server ${seed}`),
    suite: 'TLS_AES_128_GCM_SHA256',
    group: 'x25519',
    helloRetry,
  };
}

type Named<T extends ConnectionEvent['type'], K extends string> = Extract<
  ConnectionEvent,
  { type: T } & Record<K, unknown>
>;

export function sent(message: Named<'message', 'message'>['message'], length = 100): ConnectionEvent {
  return { type: 'message', direction: 'sent', message, length };
}

export function received(message: Named<'message', 'message'>['message'], length = 100): ConnectionEvent {
  return { type: 'message', direction: 'received', message, length };
}

export function alert(
  direction: 'sent' | 'received',
  name: Named<'alert', 'alert'>['alert'],
  description: number,
): ConnectionEvent {
  return { type: 'alert', direction, alert: name, description };
}

export function failed(code: keyof typeof REASONS, detail = ''): ConnectionEvent {
  return { type: 'failed', error: new TlsError(REASONS[code], detail) };
}

/** An operation that takes `milliseconds`. */
export function takes(operation: Operation, milliseconds: number): (ConnectionEvent | number)[] {
  return [
    { type: 'operation', operation, phase: 'start' },
    milliseconds,
    { type: 'operation', operation, phase: 'end' },
  ];
}

/** A client's handshake up to its Finished: 10 ms. */
export function clientUntilFinished(seed: string): (ConnectionEvent | number)[] {
  return [
    ...takes('key-exchange', 1),
    clientHello(seed),
    sent('client_hello'),
    2,
    received('server_hello'),
    ...takes('key-exchange', 1),
    serverHello(seed),
    received('encrypted_extensions'),
    { type: 'alpn', protocol: 'sallyport/1' },
    received('certificate_request'),
    received('certificate'),
    ...takes('validate-chain', 3),
    received('certificate_verify'),
    ...takes('verify-signature', 1),
    { type: 'peer-verified', peer: SERVER_PEER, scheme: 'ecdsa_secp256r1_sha256' },
    received('finished'),
    sent('certificate'),
    ...takes('sign', 2),
    sent('certificate_verify'),
    sent('finished'),
    { type: 'established' },
  ];
}

/** A server's handshake up to the client's Finished: 9 ms. */
export function serverUntilFinished(seed: string): (ConnectionEvent | number)[] {
  return [
    clientHello(seed),
    received('client_hello'),
    ...takes('key-exchange', 1),
    serverHello(seed),
    sent('server_hello'),
    sent('encrypted_extensions'),
    { type: 'alpn', protocol: 'sallyport/1' },
    sent('certificate_request'),
    sent('certificate'),
    ...takes('sign', 2),
    sent('certificate_verify'),
    sent('finished'),
    2,
    received('certificate'),
    ...takes('validate-chain', 3),
    received('certificate_verify'),
    ...takes('verify-signature', 1),
    { type: 'peer-verified', peer: CLIENT_PEER, scheme: 'ecdsa_secp256r1_sha256' },
    received('finished'),
    { type: 'established' },
  ];
}
