import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HANDSHAKE_TYPES, type MessageName } from './messages/names.ts';
import { exchange, makePair } from './testing/pair.ts';
import { Acquaintances, sessionOf, WINDOW, withEarlyData } from './testing/sessions.ts';
import { honest, type Tamper, TamperingEngine, tamperWith } from './testing/tampering-engine.ts';
import { attack, expectRefusal, type Victim, victimClient, victimServer } from './testing/victim.ts';
import { flip, handshakeMessage, rechunk } from './testing/wire.ts';

type Kind = 'resumed' | 'early';
type Role = 'client' | 'server';

/** Two sides that know each other already; then one of them misbehaves. */
async function attackResumed(role: Role, kind: Kind, tamper: Tamper): Promise<Victim> {
  const friends = new Acquaintances();
  await friends.clock.advance(WINDOW);
  const ways = kind === 'early' ? withEarlyData(friends) : { client: {}, server: {} };
  friends.meet(ways.client, ways.server);
  const { client = {}, server = {} } = friends.options(ways.client, ways.server);
  if (role === 'client')
    return attack(victimClient(client), TamperingEngine.server(tamper, 'original', server));
  return attack(victimServer(server), TamperingEngine.client(tamper, 'original', client));
}

const MESSAGES: Readonly<Record<Role, Readonly<Record<Kind, readonly MessageName[]>>>> = {
  client: {
    resumed: ['server_hello', 'encrypted_extensions', 'finished'],
    early: ['server_hello', 'encrypted_extensions', 'finished'],
  },
  server: {
    resumed: ['client_hello', 'finished'],
    early: ['client_hello', 'end_of_early_data', 'finished'],
  },
};

const POINTS = (['client', 'server'] as const).flatMap((role) =>
  (['resumed', 'early'] as const).flatMap((kind) =>
    MESSAGES[role][kind].map((message) => ({ role, kind, message })),
  ),
);

/** Holds a message back until the next one has gone. */
function reorder(target: MessageName): Tamper {
  let held: Uint8Array | undefined;
  return (name, message) => {
    if (name === target && held === undefined) {
      held = message;
      return [];
    }
    if (held === undefined || held.length === 0) return [message];
    const late = held;
    held = new Uint8Array(0);
    return [message, late];
  };
}

function cut(message: Uint8Array): Uint8Array {
  return handshakeMessage(message[0]!, message.subarray(4, -1));
}

function expectNothing({ connection }: Victim): void {
  expect(connection.established).toBe(false);
  expect(connection.takePlaintext()).toHaveLength(0);
}

describe('in a handshake by a session', () => {
  it.each(['client', 'server'] as const)('an honest peer of a %s completes it', async (role) => {
    for (const kind of ['resumed', 'early'] as const) {
      const victim = await attackResumed(role, kind, honest);
      expect(victim.connection.established).toBe(true);
      expect(sessionOf([...victim.events])).toMatchObject({
        kind: 'resumed',
        earlyData: kind === 'early' ? 'accepted' : 'none',
      });
    }
  });

  it.each(POINTS)(
    'a $role ($kind) never gets there when $message is dropped',
    async ({ role, kind, message }) => {
      expectNothing(
        await attackResumed(
          role,
          kind,
          tamperWith(message, () => []),
        ),
      );
    },
  );

  it.each(POINTS)('a $role ($kind) refuses $message that comes twice', async ({ role, kind, message }) => {
    const victim = await attackResumed(
      role,
      kind,
      tamperWith(message, (bytes) => [bytes, bytes]),
    );
    // A client's handshake is over when it has answered the first Finished; the second still ends the connection.
    if (message !== 'finished') expectNothing(victim);
    expect(victim.connection.failure).toBeDefined();
  });

  // EndOfEarlyData is empty already.
  const long = POINTS.filter(({ message }) => message !== 'end_of_early_data');

  it.each(long)('a $role ($kind) refuses $message cut short', async ({ role, kind, message }) => {
    expectNothing(
      await attackResumed(
        role,
        kind,
        tamperWith(message, (bytes) => [cut(bytes)]),
      ),
    );
  });

  it('a server refuses an EndOfEarlyData that is not empty (4.5)', async () => {
    const longer = (): Uint8Array[] => [
      handshakeMessage(HANDSHAKE_TYPES.end_of_early_data, Uint8Array.of(0)),
    ];
    const victim = await attackResumed('server', 'early', tamperWith('end_of_early_data', longer));
    expect(victim.connection.failure?.code).toBe('malformed-message');
  });

  it.each(POINTS)('a $role ($kind) refuses $message after the next', async ({ role, kind, message }) => {
    expectNothing(await attackResumed(role, kind, reorder(message)));
  });

  it.each(POINTS)(
    'a $role ($kind) refuses $message with any other in its place',
    async ({ role, kind, message }) => {
      for (const [name, type] of Object.entries(HANDSHAKE_TYPES)) {
        if (name === message) continue;
        const instead = (bytes: Uint8Array) => [handshakeMessage(type, bytes.subarray(4))];
        expectNothing(await attackResumed(role, kind, tamperWith(message, instead)));
      }
    },
  );

  it('a server refuses a ClientHello with any byte of the binder changed (4.2.11)', async () => {
    for (let back = 1; back <= 32; back += 1) {
      const change = (bytes: Uint8Array) => [flip(bytes, bytes.length - back, 0x80)];
      const victim = await attackResumed('server', 'early', tamperWith('client_hello', change));
      expectRefusal(victim, 'incorrect-binder', 'decrypt_error');
      expect(victim.connection.takeEarlyData()).toHaveLength(0);
    }
  });

  it('a server that asked for nothing more takes no certificate from its client', async () => {
    const add = (bytes: Uint8Array) => [
      handshakeMessage(HANDSHAKE_TYPES.certificate, Uint8Array.of(0, 0, 0, 0)),
      bytes,
    ];
    const victim = await attackResumed('server', 'resumed', tamperWith('finished', add));
    expectRefusal(victim, 'unexpected-message', 'unexpected_message', 'certificate in ExpectFinished');
  });

  it('a client takes neither a request for its certificate nor one of the server (4.3.2, 4.4.2)', async () => {
    for (const name of ['certificate_request', 'certificate', 'certificate_verify'] as const) {
      const add = (bytes: Uint8Array) => [
        handshakeMessage(HANDSHAKE_TYPES[name], Uint8Array.of(0, 0, 0)),
        bytes,
      ];
      const victim = await attackResumed('client', 'resumed', tamperWith('finished', add));
      expectRefusal(victim, 'unexpected-message', 'unexpected_message', 'in ExpectFinished');
    }
  });

  it('any chunking of the bytes gives the same, early data included (CVE-2024-11738)', async () => {
    const chunks = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(chunks, chunks, async (forth, back) => {
        const friends = new Acquaintances();
        await friends.clock.advance(WINDOW);
        const ways = withEarlyData(friends);
        friends.meet(ways.client, ways.server);
        const pair = makePair(friends.options(ways.client, ways.server));
        pair.client.resume(pair.client.pending!.run() as never);
        pair.client.writeEarly(Buffer.from('early'));
        exchange(
          pair.client,
          pair.server,
          (bytes) => rechunk(bytes, forth),
          (bytes) => rechunk(bytes, back),
        );
        expect(pair.client.session).toMatchObject({ kind: 'resumed', earlyData: 'accepted' });
        expect(Buffer.concat(pair.server.takeEarlyData()).toString()).toBe('early');
        expect(pair.server.established).toBe(true);
      }),
      { numRuns: 25 },
    );
  });
});
