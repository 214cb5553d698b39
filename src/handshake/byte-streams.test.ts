import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, ok, toHex } from '#runtime';
import { ClientConnection, ServerConnection } from './connection.ts';
import { type CryptoProvider, type Kem, type KemKeyPair, Secret } from './crypto/index.ts';
import type { ConnectionEvent } from './events.ts';
import { type Endpoint, clientConfig, exchange, makePair, serverConfig } from './testing/pair.ts';
import { type Tamper, TamperingEngine } from './testing/tampering-engine.ts';
import { testProvider } from './testing/provider.ts';
import { credentialOf, FakeVerifier, identity } from './testing/credentials.ts';
import { rechunk, record } from './testing/wire.ts';

const ROLES = ['client', 'server'] as const;
type Role = (typeof ROLES)[number];

/** What a connection showed to the outside, comparable between runs. */
function story(events: readonly ConnectionEvent[], connection: ClientConnection | ServerConnection): unknown {
  return {
    events: events.map((event) => JSON.stringify(event)),
    data: Buffer.concat(connection.takePlaintext()).toString('hex'),
    failure: connection.failure?.message,
    closed: connection.readClosed,
  };
}

/**
 * All bytes that one side gets in a handshake with data and close_notify behind it, and a twin of that side that can
 * be given them again: same keys, same random, so the same answers.
 */
function recorded(role: Role): {
  bytes: Uint8Array;
  twin: () => [ClientConnection | ServerConnection, ConnectionEvent[]];
} {
  const crypto = {
    ...testProvider,
    randomBytes: (length: number) => new Uint8Array(length).fill(5),
    kems: once(testProvider.kems),
  };
  const client = identity('client', 'ed25519');
  const server = identity('server', 'ed25519');
  const own = {
    client: { crypto, credential: credentialOf(client), verifier: new FakeVerifier([server]) },
    server: {
      crypto,
      credential: credentialOf(server),
      clientAuthentication: { mode: 'request', required: true, verifier: new FakeVerifier([client]) },
    },
  } as const;
  const pair = makePair({ client: own.client, server: own.server });
  const bytes: Uint8Array[] = [];
  const tap = (piece: Uint8Array): Uint8Array[] => {
    bytes.push(piece.slice());
    return [piece];
  };
  const talk = (): void =>
    role === 'client'
      ? exchange(pair.client, pair.server, undefined, tap)
      : exchange(pair.client, pair.server, tap);
  talk();
  const sender = role === 'client' ? pair.server : pair.client;
  sender.write(Buffer.from('one'));
  sender.updateKeys(false);
  sender.write(new Uint8Array(40_000).fill(1));
  sender.close();
  talk();
  const twin = (): [ClientConnection | ServerConnection, ConnectionEvent[]] => {
    const events: ConnectionEvent[] = [];
    const observe = (event: ConnectionEvent): void => void events.push(event);
    return role === 'client'
      ? [new ClientConnection(clientConfig(own.client), observe), events]
      : [new ServerConnection(serverConfig(own.server), observe), events];
  };
  return { bytes: concat(...bytes), twin };
}

/** The same key pairs and answers for every exchange, so that a recorded flight fits again. */
function once(kems: CryptoProvider['kems']): CryptoProvider['kems'] {
  const entries = Object.entries(kems).map(([name, kem]) => {
    let pair: KemKeyPair | undefined;
    const encapsulate = remembered((publicKey) => kem.encapsulate(publicKey), copyOf);
    const generate = (): KemKeyPair => (pair ??= usableAgain(kem.generate()));
    return [name, { ...kem, generate, encapsulate }];
  });
  return Object.fromEntries(entries) as CryptoProvider['kems'];
}

/** A key pair may be used once: what it answered then is answered again. */
function usableAgain({ publicKey, decapsulate }: KemKeyPair): KemKeyPair {
  return {
    publicKey,
    decapsulate: remembered(decapsulate, (answer) => (answer.ok ? ok(again(answer.value)) : answer)),
  };
}

function remembered<T>(work: (input: Uint8Array) => T, copy: (answer: T) => T): (input: Uint8Array) => T {
  const answers = new Map<string, T>();
  return (input) => {
    const answer = answers.get(toHex(input)) ?? work(input);
    answers.set(toHex(input), copy(answer));
    return answer;
  };
}

function copyOf(answer: ReturnType<Kem['encapsulate']>): ReturnType<Kem['encapsulate']> {
  if (!answer.ok) return answer;
  const { ciphertext, secret } = answer.value;
  return ok({ ciphertext, secret: again(secret) });
}

/** The engine wipes the secrets it was given. */
function again(secret: Secret): Secret {
  return new Secret(Uint8Array.from(secret.expose()));
}

function give(connection: ClientConnection | ServerConnection, pieces: readonly Uint8Array[]): void {
  for (const piece of pieces) {
    connection.receive(piece.slice());
    unpause(connection);
  }
}

function unpause(endpoint: Endpoint): void {
  for (let { pending } = endpoint; pending !== undefined; { pending } = endpoint) {
    const resumption = pending.run();
    if (resumption instanceof Promise) throw new Error('this test answers at once');
    endpoint.resume(resumption);
  }
}

describe.each(ROLES)('the bytes that a %s gets', (role) => {
  const { bytes, twin } = recorded(role);
  const whole = (): unknown => {
    const [connection, events] = twin();
    give(connection, [bytes]);
    return story(events, connection);
  };
  const reference = whole();

  it('make a whole connection', () => {
    expect(reference).toMatchObject({ failure: undefined, closed: true });
  });

  it('mean the same one by one', () => {
    const [connection, events] = twin();
    give(connection, rechunk(bytes, [1]));
    expect(story(events, connection)).toEqual(reference);
  });

  it('mean the same in any chunks', () => {
    const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 20_000 })), {
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(lengths, (cuts) => {
        const [connection, events] = twin();
        give(connection, rechunk(bytes, cuts));
        expect(story(events, connection)).toEqual(reference);
      }),
      { numRuns: 40 },
    );
  });

  it('that end anywhere before close_notify are a failure', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length - 1 }), (length) => {
        const [connection] = twin();
        give(connection, [bytes.subarray(0, length)]);
        connection.endOfInput();
        expect(['closed-in-handshake', 'truncated']).toContain(connection.failure?.code);
      }),
      { numRuns: 60 },
    );
  });
});

/** A connection that has come some way with an honest peer, its output thrown away. */
function halfway(role: Role, messages: number): ClientConnection | ServerConnection {
  let left = messages;
  const tamper: Tamper = (_name, message) => {
    left -= 1;
    return left < 0 ? [] : [message];
  };
  const connection =
    role === 'client'
      ? new ClientConnection(clientConfig(), () => undefined)
      : new ServerConnection(serverConfig(), () => undefined);
  if (role === 'client') exchange(connection, TamperingEngine.server(tamper));
  else exchange(TamperingEngine.client(tamper), connection);
  connection.takeOutput();
  return connection;
}

const MESSAGES = { client: 6, server: 4 } as const;

describe.each(ROLES)('a %s in any state', (role) => {
  const noise = fc.uint8Array({ minLength: 1, maxLength: 600 });
  const records = fc
    .array(fc.tuple(fc.integer({ min: 20, max: 23 }), fc.uint8Array({ maxLength: 80 })), {
      minLength: 1,
      maxLength: 6,
    })
    .map((list) => concat(...list.map(([type, content]) => record(type, content))));
  const messages = fc
    .array(fc.tuple(fc.constantFrom(1, 2, 4, 8, 11, 13, 15, 20, 24), fc.uint8Array({ maxLength: 120 })), {
      minLength: 1,
      maxLength: 4,
    })
    .map((list) =>
      concat(
        ...list.map(([type, body]) =>
          record('handshake', concat(Uint8Array.of(type, 0, 0, body.length), body)),
        ),
      ),
    );

  it.each(Array.from({ length: MESSAGES[role] + 1 }, (_, index) => index))(
    'after %i messages takes noise without an exception, and never for granted',
    (count) => {
      const states = new Set<string>();
      fc.assert(
        fc.property(fc.oneof(noise, records, messages), (input) => {
          const connection = halfway(role, count);
          states.add(connection.stateName);
          const wasEstablished = connection.established;
          connection.receive(input);
          unpause(connection);
          expect(connection.established).toBe(wasEstablished);
          expect(connection.takePlaintext()).toEqual([]);
          if (connection.failure === undefined) connection.endOfInput();
          expect(connection.failure).toBeDefined();
        }),
        { numRuns: 40 },
      );
      expect(states.size).toBe(1);
    },
  );
});
