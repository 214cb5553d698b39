import { describe, expect, it } from 'vitest';
import type { ClientConfig, ServerConfig } from './config.ts';
import { HANDSHAKE_TYPES, type MessageName } from './messages/names.ts';
import type { ReasonCode } from './reasons.ts';
import { CLIENT, SERVER } from './states.ts';
import { WELL_FORMED } from './testing/bodies.ts';
import { honest, type Tamper, TamperingEngine, tamperWith } from './testing/tampering-engine.ts';
import { attack, expectRefusal, type Victim, victimClient, victimServer } from './testing/victim.ts';
import { handshakeMessage } from './testing/wire.ts';

interface Way {
  readonly client?: Partial<ClientConfig>;
  readonly server?: Partial<ServerConfig>;
}

const RETRY: Way = { client: { groups: ['x25519', 'secp256r1'] }, server: { groups: ['secp256r1'] } };
const WITHOUT_REQUEST: Way = { server: { clientAuthentication: { mode: 'none' } } };

/** Where a peer's message is awaited: which of its messages, and in which kind of handshake. */
interface Point {
  readonly state: string;
  readonly message: MessageName;
  readonly occurrence?: number;
  readonly way?: Way;
}

const SERVER_MESSAGES: readonly Point[] = [
  { state: 'ExpectServerHello', message: 'server_hello' },
  { state: 'ExpectServerHello', message: 'server_hello', way: RETRY },
  { state: 'ExpectSecondServerHello', message: 'server_hello', occurrence: 1, way: RETRY },
  { state: 'ExpectEncryptedExtensions', message: 'encrypted_extensions' },
  { state: 'ExpectCertificateOrRequest', message: 'certificate_request' },
  { state: 'ExpectCertificateOrRequest', message: 'certificate', way: WITHOUT_REQUEST },
  { state: 'ExpectCertificate', message: 'certificate' },
  { state: 'ExpectCertificateVerify', message: 'certificate_verify' },
  { state: 'ExpectFinished', message: 'finished' },
];

const CLIENT_MESSAGES: readonly Point[] = [
  { state: 'ExpectClientHello', message: 'client_hello' },
  { state: 'ExpectSecondClientHello', message: 'client_hello', occurrence: 1, way: RETRY },
  { state: 'ExpectCertificate', message: 'certificate' },
  { state: 'ExpectCertificateVerify', message: 'certificate_verify' },
  { state: 'ExpectFinished', message: 'finished' },
  { state: 'ExpectFinished', message: 'finished', way: WITHOUT_REQUEST },
];

const SIDES = [
  { victim: 'client', table: CLIENT, points: SERVER_MESSAGES, begin: attackClient },
  { victim: 'server', table: SERVER, points: CLIENT_MESSAGES, begin: attackServer },
] as const;

function attackClient(tamper: Tamper, way: Way = {}, transcript: 'original' | 'sent' = 'original'): Victim {
  return attack(victimClient(way.client), TamperingEngine.server(tamper, transcript, way.server));
}

function attackServer(tamper: Tamper, way: Way = {}, transcript: 'original' | 'sent' = 'original'): Victim {
  return attack(victimServer(way.server), TamperingEngine.client(tamper, transcript, way.client));
}

function title({ message, state, way }: Point): string {
  return `${message} in ${state}${way === RETRY ? ' with retry' : ''}`;
}

const ALL_NAMES = Object.keys(HANDSHAKE_TYPES) as MessageName[];
const UNKNOWN_TYPES = [0, 3, 6, 7, 12, 14, 16, 21, 22, 254, 255];

for (const { victim: role, table, points, begin } of SIDES) {
  describe(`a ${role} whose peer`, () => {
    it('tampers with nothing completes the handshake in every way that these tests use', () => {
      for (const way of new Set(points.map((point) => point.way))) {
        expect(begin(honest, way).connection.established).toBe(true);
      }
    });

    it('covers every state that awaits a message', () => {
      const awaiting = Object.entries(table).filter(([name, row]) => row.on.length > 0 && name !== 'Traffic');
      // What only a session leads to is in resumed-tampering.test.ts.
      const names = awaiting.map(([name]) => name).filter((name) => name !== 'ExpectEndOfEarlyData');
      expect(new Set(points.map((point) => point.state))).toEqual(new Set(names));
    });

    for (const point of points) {
      const { state, message, occurrence = 0, way } = point;
      const at = (change: (message: Uint8Array) => readonly Uint8Array[]): Tamper =>
        tamperWith(message, change, occurrence);

      it(`drops ${title(point)} refuses what follows, or waits`, () => {
        const victim = begin(
          at(() => []),
          way,
        );
        const { connection } = victim;
        if (connection.failure === undefined) {
          expect(connection.stateName).toBe(state);
          expect(connection.established).toBe(false);
        } else if (message === 'server_hello' || message === 'client_hello') {
          // What follows is sealed under keys that the victim does not have yet.
          expectRefusal(victim, 'unexpected-record', 'unexpected_message');
        } else if (message === 'certificate_request') {
          // Nothing asks for it: the handshake goes on and Finished shows the difference.
          expectRefusal(victim, 'incorrect-signature', 'decrypt_error');
        } else {
          expectRefusal(victim, 'unexpected-message', 'unexpected_message', `in ${state}`);
        }
      });

      it(`doubles ${title(point)} refuses the second`, () => {
        const victim = begin(
          at((bytes) => [bytes, bytes]),
          way,
        );
        // Where keys change, and before the answer to a retry, nothing may be left in the record (RFC 8446 5.1);
        // elsewhere the state refuses it.
        const aligned = ['server_hello', 'client_hello', 'finished'].includes(message);
        const code: ReasonCode = aligned ? 'unaligned-key-change' : 'unexpected-message';
        expectRefusal(victim, code, 'unexpected_message');
      });

      it(`sends another message instead of ${title(point)} refuses it`, () => {
        const allowed: readonly string[] = (table as Record<string, { on: readonly string[] }>)[state]!.on;
        for (const name of ALL_NAMES) {
          if (allowed.includes(name)) continue;
          const instead = handshakeMessage(HANDSHAKE_TYPES[name], WELL_FORMED[name]);
          const victim = begin(
            at(() => [instead]),
            way,
          );
          expectRefusal(victim, 'unexpected-message', 'unexpected_message', `${name} in ${state}`);
        }
        for (const type of UNKNOWN_TYPES) {
          const victim = begin(
            at(() => [handshakeMessage(type, new Uint8Array(0))]),
            way,
          );
          if (type === 0) expectRefusal(victim, 'renegotiation-attempted', 'unexpected_message');
          else expectRefusal(victim, 'unexpected-message', 'unexpected_message', `handshake type ${type}`);
        }
      });

      it(`truncates ${title(point)} at any byte refuses it`, () => {
        const length = lengthOf(begin, point);
        for (let kept = 0; kept < length; kept += 1) {
          const victim = begin(
            at((bytes) => [handshakeMessage(bytes[0]!, bytes.subarray(4, 4 + kept))]),
            way,
            'sent',
          );
          const { code, alert } = expectedAfterTruncation(state, message, kept);
          expectRefusal(victim, code, alert);
        }
      });

      it(`adds a byte to ${title(point)} refuses it`, () => {
        const victim = begin(
          at((bytes) => [handshakeMessage(bytes[0]!, Buffer.concat([bytes.subarray(4), Uint8Array.of(0)]))]),
          way,
          'sent',
        );
        if (message === 'finished') expectRefusal(victim, 'incorrect-finished', 'decrypt_error');
        else expectRefusal(victim, 'malformed-message', 'decode_error');
      });

      it(`stops in the middle of ${title(point)} is waited for, then missed`, () => {
        const victim = begin(stopInside(point), way);
        if (victim.connection.failure !== undefined) {
          // More was sent behind it, and taken for its rest or for an interleaved record.
          expect(victim.connection.established).toBe(false);
          return;
        }
        victim.connection.endOfInput();
        expectRefusal(victim, 'closed-in-handshake', undefined);
      });
    }

    it('swaps two neighbours of a flight refuses the first of them', () => {
      const flight = points.filter(
        (point, index) => index > 0 && point.way === undefined && point.message !== 'server_hello',
      );
      for (const [index, first] of flight.entries()) {
        const second = flight[index + 1];
        if (second === undefined) continue;
        const held: Uint8Array[] = [];
        const victim = begin((name, bytes) => {
          if (name === first.message) {
            held.push(bytes);
            return [];
          }
          return name === second.message ? [bytes, ...held] : [bytes];
        });
        if (first.message === 'certificate_request') {
          // A server may leave its request out, so the Certificate is taken; the late request is not.
          expectRefusal(victim, 'unexpected-message', 'unexpected_message', 'certificate_request in Expect');
        } else {
          expectRefusal(
            victim,
            'unexpected-message',
            'unexpected_message',
            `${second.message} in ${first.state}`,
          );
        }
      }
    });
  });
}

/** The length of a message's body, from an undisturbed handshake. ECDSA signatures vary by a byte or two. */
function lengthOf(begin: typeof attackClient, { message, occurrence = 0, way }: Point): number {
  let length = 0;
  begin(
    tamperWith(
      message,
      (bytes) => {
        length = bytes.length - 4;
        return [bytes];
      },
      occurrence,
    ),
    way,
  );
  return message === 'certificate_verify' ? length - 4 : length;
}

/** Length of a ServerHello of ours up to its extensions: version, random, session ID, suite, compression. */
const SERVER_HELLO_HEAD = 2 + 32 + 1 + 32 + 2 + 1;
/** Likewise for a ClientHello with three suites. */
const CLIENT_HELLO_HEAD = 2 + 32 + 1 + 32 + 2 + 6 + 2;

function expectedAfterTruncation(state: string, message: MessageName, kept: number) {
  // verify_data has no length of its own on the wire: a short one is a wrong one.
  if (message === 'finished') return { code: 'incorrect-finished', alert: 'decrypt_error' } as const;
  const head = { server_hello: SERVER_HELLO_HEAD, client_hello: CLIENT_HELLO_HEAD }[
    message as 'server_hello'
  ];
  // A hello that ends before its extensions is well-formed, and of a TLS before 1.3.
  if (kept === head && state === 'ExpectSecondClientHello') {
    return { code: 'illegal-hello-retry', alert: 'illegal_parameter' } as const;
  }
  if (kept === head) return { code: 'no-common-version', alert: 'protocol_version' } as const;
  return { code: 'malformed-message', alert: 'decode_error' } as const;
}

/** Half of the message, and nothing after it. */
function stopInside({ message, occurrence = 0 }: Point): Tamper {
  let seen = 0;
  let stopped = false;
  return (name, bytes) => {
    if (stopped) return [];
    if (name !== message) return [bytes];
    seen += 1;
    if (seen - 1 !== occurrence) return [bytes];
    stopped = true;
    return [bytes.subarray(0, bytes.length >> 1)];
  };
}
