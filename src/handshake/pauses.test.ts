import { describe, expect, it } from 'vitest';
import { ok } from '#runtime';
import type { ConnectionEvent } from './events.ts';
import { ClientConnection, ServerConnection } from './connection.ts';
import { MAX_PENDING_INPUT } from './limits.ts';
import { TlsError } from './reason.ts';
import { REASONS } from './reasons.ts';
import { credentialWith, FakeVerifier, identity, TEST_REASONS } from './testing/credentials.ts';
import {
  clientConfig,
  exchange,
  exchangeLater,
  makePair,
  type PairOptions,
  serverConfig,
} from './testing/pair.ts';
import { honest, TamperingEngine } from './testing/tampering-engine.ts';
import {
  attack,
  type Configs,
  expectRefusal,
  type Victim,
  victimClient,
  victimServer,
} from './testing/victim.ts';
import type { PeerVerifier } from './verify/peer-verifier.ts';

const ROLES = ['client', 'server'] as const;
type Role = (typeof ROLES)[number];

function withVerifier(role: Role, verifier: PeerVerifier): Configs {
  if (role === 'client') return { client: { verifier } };
  return { server: { clientAuthentication: { mode: 'request', required: true, verifier } } };
}

function withSigner(role: Role, sign: Parameters<typeof credentialWith>[1]): Configs {
  return { [role]: { credential: credentialWith(identity(role), sign) } };
}

async function attacked(role: Role, configs: Configs): Promise<Victim> {
  if (role === 'client') {
    const victim = victimClient(configs.client);
    await exchangeLater(victim.connection, TamperingEngine.server(honest, 'original', configs.server));
    return victim;
  }
  const victim = victimServer(configs.server);
  await exchangeLater(TamperingEngine.client(honest, 'original', configs.client), victim.connection);
  return victim;
}

/** Each `start` has its `end`, nothing overlaps, and nothing is left open. */
function expectPairedOperations(events: readonly ConnectionEvent[]): void {
  let open: string | undefined;
  for (const event of events) {
    if (event.type !== 'operation') continue;
    if (event.phase === 'start') {
      expect(open).toBeUndefined();
      open = event.operation;
    } else {
      expect(event.operation).toBe(open);
      open = undefined;
    }
  }
  expect(open).toBeUndefined();
}

for (const role of ROLES) {
  describe(`CVE-2026-21637: a ${role} whose verifier`, () => {
    it.each<[string, PeerVerifier['verify']]>([
      [
        'throws',
        () => {
          throw new Error('disk on fire');
        },
      ],
      ['rejects', () => Promise.reject(new Error('disk on fire'))],
    ])('%s does not believe the peer', async (_title, verify) => {
      const victim = await attacked(role, withVerifier(role, { verify }));
      expectRefusal(victim, 'verifier-failed', 'internal_error', 'disk on fire');
      expectPairedOperations(victim.events);
    });

    it.each<[string, unknown]>([
      ['nothing', undefined],
      ['an empty object', {}],
      ['a success without a peer', ok(undefined)],
      ['a text', 'ok'],
      ['a refusal without a reason', { ok: false }],
    ])('answers %s does not believe the peer', async (_title, answer) => {
      const victim = await attacked(role, withVerifier(role, { verify: () => answer as never }));
      expectRefusal(victim, 'internal-error', 'internal_error');
      expectPairedOperations(victim.events);
    });

    it('throws a TlsError ends with its reason', async () => {
      const reason = TEST_REASONS['unknown-test-certificate'];
      const verify = (): never => {
        throw new TlsError(reason, 'said so');
      };
      const victim = await attacked(role, withVerifier(role, { verify }));
      expectRefusal(victim, 'unknown-test-certificate', 'unknown_ca', 'said so');
    });

    it('refuses later, by a promise, has its refusal kept', async () => {
      const victim = await attacked(role, withVerifier(role, new FakeVerifier([], 'async')));
      expectRefusal(victim, 'unknown-test-certificate', 'unknown_ca');
      expectPairedOperations(victim.events);
    });
  });

  describe(`CVE-2026-21637: a ${role} whose signer`, () => {
    it.each<[string, Parameters<typeof credentialWith>[1]]>([
      [
        'throws',
        () => {
          throw new Error('no such key');
        },
      ],
      ['rejects', () => Promise.reject(new Error('no such key'))],
    ])('%s ends the handshake', async (_title, sign) => {
      const victim = await attacked(role, withSigner(role, sign));
      expectRefusal(victim, 'signing-failed', 'internal_error', 'no such key');
      expectPairedOperations(victim.events);
    });
  });

  describe(`CVE-2026-21637: a ${role} whose observer`, () => {
    it('throws, at any event, ends the connection and throws nothing', () => {
      const count = makePairAndCount(role);
      for (let at = role === 'client' ? 4 : 0; at < count; at += 1) {
        let seen = 0;
        const observer = (): void => {
          seen += 1;
          if (seen - 1 === at) throw new Error(`no to event ${at}`);
        };
        const connection =
          role === 'client'
            ? new ClientConnection(clientConfig(), observer)
            : new ServerConnection(serverConfig(), observer);
        if (role === 'client') exchange(connection, victimServer().connection);
        else exchange(victimClient().connection, connection);
        expect(connection.failure?.code).toBe('internal-error');
        expect(connection.failure?.detail).toContain(`no to event ${at}`);
      }
    });

    it('throws always still ends with the reason of the failure', () => {
      let quiet = true;
      const observer = (): void => {
        if (!quiet) throw new Error('never');
      };
      const connection =
        role === 'client'
          ? new ClientConnection(clientConfig(), observer)
          : new ServerConnection(serverConfig(), observer);
      quiet = false;
      connection.receive(Uint8Array.of(71, 69, 84));
      expect(connection.failure?.code).toBe('not-tls');
    });
  });
}

/** How many events a whole handshake has; a client's first ones come from its constructor, which may throw. */
function makePairAndCount(role: Role): number {
  const pair = makePair();
  exchange(pair.client, pair.server);
  return (role === 'client' ? pair.clientEvents : pair.serverEvents).length;
}

describe('a pause', () => {
  const paused = (options: PairOptions = {}): Victim => {
    const victim = victimServer(options.server);
    victim.connection.receive(TamperingEngine.client(honest, 'original', options.client).takeOutput());
    expect(victim.connection.pending?.kind).toBe('sign');
    return victim;
  };

  it('keeps what comes meanwhile, within bounds', () => {
    const { connection } = paused();
    connection.receive(new Uint8Array(MAX_PENDING_INPUT).fill(20));
    expect(connection.failure).toBeUndefined();
    connection.receive(new Uint8Array(1));
    expect(connection.failure?.code).toBe('input-overflow');
  });

  it('that ends by a failure takes no answer any more, and says that its work is over', () => {
    const victim = paused();
    const { connection } = victim;
    const resumption = connection.pending!.run();
    if (resumption instanceof Promise) throw new Error('the test signer answers at once');
    connection.abort(REASONS['handshake-timeout']);
    connection.resume(resumption);
    expect(connection.established).toBe(false);
    expectRefusal(victim, 'handshake-timeout', 'user_canceled');
    expectPairedOperations(victim.events);
  });

  it('is answered once', () => {
    const { connection } = paused();
    const resumption = connection.pending!.run();
    if (resumption instanceof Promise) throw new Error('the test signer answers at once');
    connection.resume(resumption);
    expect(() => connection.resume(resumption)).toThrow('not waiting');
    expect(connection.failure).toBeUndefined();
  });

  it('takes no answer of another connection, nor of an earlier pause', () => {
    const one = paused().connection;
    const two = paused().connection;
    const answerOfOne = one.pending!.run();
    if (answerOfOne instanceof Promise) throw new Error('the test signer answers at once');
    expect(() => two.resume(answerOfOne)).toThrow();
    expect(two.stateName).toBe('Signing');

    const victim = victimServer();
    const client = TamperingEngine.client(honest);
    const { connection } = victim;
    connection.receive(client.takeOutput());
    const signed = connection.pending!.run();
    if (signed instanceof Promise) throw new Error('the test signer answers at once');
    connection.resume(signed);
    exchangeUntilPaused(client, connection);
    expect(connection.pending?.kind).toBe('validate-chain');
    expect(() => connection.resume(signed)).toThrow();
    expect(connection.stateName).toBe('ValidatingChain');
  });

  it('cannot be answered where there is none', () => {
    const { connection } = victimServer();
    expect(() => connection.resume({ proceed: () => undefined } as never)).toThrow('not waiting');
  });

  it('a client handshake goes through both pauses', () => {
    const victim = victimClient();
    attack(victim, TamperingEngine.server(honest));
    const kinds = victim.events.flatMap((event) =>
      event.type === 'operation' && event.phase === 'start' ? [event.operation] : [],
    );
    expect(kinds).toEqual(['key-exchange', 'key-exchange', 'validate-chain', 'verify-signature', 'sign']);
    expectPairedOperations(victim.events);
  });
});

function exchangeUntilPaused(client: TamperingEngine, server: ServerConnection | ClientConnection): void {
  client.receive(server.takeOutput());
  while (client.pending !== undefined) {
    const resumption = client.pending.run();
    if (resumption instanceof Promise) throw new Error('the test signer answers at once');
    client.resume(resumption);
  }
  server.receive(client.takeOutput());
}
