import { describe, expect, it } from 'vitest';
import type { ConnectionEvent } from './events.ts';
import { GROUPS, type GroupName } from './groups.ts';
import { type KeyType, SCHEMES, type SchemeName } from './schemes.ts';
import { SUITES, type SuiteName } from './suites.ts';
import { credentialOf, FakeVerifier, identity, type Timing } from './testing/credentials.ts';
import { testProvider } from './testing/provider.ts';
import { exchange, exchangeLater, makePair, type Pair, type PairOptions, received } from './testing/pair.ts';

const SUITE_NAMES = Object.keys(SUITES) as SuiteName[];
const GROUP_NAMES = Object.keys(GROUPS) as GroupName[];
const SCHEME_NAMES = Object.keys(SCHEMES) as SchemeName[];
const AUTHENTICATIONS = ['mutual', 'server only', 'optional, shown', 'optional, not shown'] as const;
type Authentication = (typeof AUTHENTICATIONS)[number];

interface Choice {
  readonly suite: SuiteName;
  readonly group: GroupName;
  readonly scheme: SchemeName;
  readonly authentication: Authentication;
  readonly timing: Timing;
  readonly retry: boolean;
}

const keyOf = (scheme: SchemeName): KeyType => SCHEMES[scheme].key;

function optionsFor(choice: Choice): PairOptions {
  const { suite, group, scheme, authentication, timing, retry } = choice;
  const client = identity('client', keyOf(scheme));
  const server = identity('server', keyOf(scheme));
  const other = GROUP_NAMES.find((name) => name !== group)!;
  const shows = authentication === 'mutual' || authentication === 'optional, shown';
  return {
    client: {
      suites: [suite],
      groups: retry ? [other, group] : [group],
      keyShares: [retry ? other : group],
      schemes: [scheme],
      verifier: new FakeVerifier([server], timing),
      credential: shows ? credentialOf(client, timing, [scheme]) : (undefined as never),
    },
    server: {
      groups: [group],
      schemes: [scheme],
      credential: credentialOf(server, timing, [scheme]),
      clientAuthentication:
        authentication === 'server only'
          ? { mode: 'none' }
          : {
              mode: 'request',
              required: authentication === 'mutual',
              verifier: new FakeVerifier([client], timing),
            },
    },
  };
}

const TIMINGS = [
  ['sync', false],
  ['async', true],
  ['async', false],
  ['sync', true],
] as const;

/** Every way of authentication, with timings and retries taking turns so that all meet all over the table. */
function choicesOf(suite: SuiteName, group: GroupName, scheme: SchemeName): readonly Choice[] {
  const first = SUITE_NAMES.indexOf(suite) + GROUP_NAMES.indexOf(group) + SCHEME_NAMES.indexOf(scheme);
  return AUTHENTICATIONS.map((authentication, index) => {
    const [timing, retry] = TIMINGS[(first + index) % TIMINGS.length]!;
    return { suite, group, scheme, authentication, timing, retry };
  });
}

describe.each(SUITE_NAMES)('%s', (suite) => {
  describe.each(GROUP_NAMES)('%s', (group) => {
    it.each(SCHEME_NAMES)('%s: connects, talks and closes in every way of authentication', async (scheme) => {
      for (const choice of choicesOf(suite, group, scheme)) {
        if (!testProvider.schemes.includes(scheme)) {
          // Not offered: asked for by name, it is refused before anything is sent.
          expect(() => makePair(optionsFor(choice))).toThrow(`${testProvider.name} does not offer ${scheme}`);
          continue;
        }
        const pair = makePair(optionsFor(choice));
        if (choice.timing === 'sync') exchange(pair.client, pair.server);
        else await exchangeLater(pair.client, pair.server);
        expectEstablished(pair, choice);
        expectTalk(pair);
        expectClose(pair);
        expectEvents(pair.clientEvents, expectedEvents('client', choice));
        expectEvents(pair.serverEvents, expectedEvents('server', choice));
        expectKeyLog(pair, choice);
      }
    });
  });
});

function expectEstablished({ client, server }: Pair, { authentication }: Choice): void {
  expect([client.failure, server.failure]).toEqual([undefined, undefined]);
  expect([client.established, server.established]).toEqual([true, true]);
  expect([client.alpn, server.alpn]).toEqual(['sallyport/1', 'sallyport/1']);
  expect(client.peer?.identity).toBe('test:server');
  const shown = authentication === 'mutual' || authentication === 'optional, shown';
  expect(server.peer?.identity).toBe(shown ? 'test:client' : undefined);
}

function expectTalk({ client, server }: Pair): void {
  client.write(Buffer.from('ping'));
  server.write(Buffer.from('pong'));
  client.updateKeys(true);
  server.updateKeys(false);
  client.write(Buffer.from(' again'));
  server.write(Buffer.from(' again'));
  exchange(client, server);
  expect(Buffer.from(received(server)).toString()).toBe('ping again');
  expect(Buffer.from(received(client)).toString()).toBe('pong again');
}

function expectClose({ client, server }: Pair): void {
  client.close();
  exchange(client, server);
  expect([server.readClosed, server.writeClosed]).toEqual([true, false]);
  server.close();
  exchange(client, server);
  for (const connection of [client, server]) {
    connection.endOfInput();
    expect(connection.failure).toBeUndefined();
    expect(connection.readClosed && connection.writeClosed).toBe(true);
  }
}

/** Both sides' events in one line each, as events.ts promises them. */
function expectedEvents(role: 'client' | 'server', choice: Choice): string[] {
  const isClient = role === 'client';
  const { authentication, retry } = choice;
  const asked = authentication !== 'server only';
  const shown = authentication === 'mutual' || authentication === 'optional, shown';
  const [own, theirs] = isClient ? ['sent', 'received'] : ['received', 'sent'];
  const clientSays = (message: string) => `${own} ${message}`;
  const serverSays = (message: string) => `${theirs} ${message}`;
  const keyExchange = ['start key-exchange', 'end key-exchange'];
  const hello = isClient
    ? ['client-hello', ...keyExchange, clientSays('client_hello')]
    : [clientSays('client_hello'), 'client-hello'];
  const again = isClient
    ? [serverSays('server_hello'), ...keyExchange, clientSays('client_hello')]
    : [serverSays('server_hello'), clientSays('client_hello')];
  const answer = isClient
    ? [serverSays('server_hello'), 'server-hello', ...keyExchange]
    : [...keyExchange, 'server-hello', serverSays('server_hello')];
  const flight = [serverSays('encrypted_extensions'), 'alpn', 'session'];
  if (asked) flight.push(serverSays('certificate_request'));
  flight.push(serverSays('certificate'));
  const judge = (says: (message: string) => string) => [
    'start validate-chain',
    'end validate-chain',
    says('certificate_verify'),
    'start verify-signature',
    'end verify-signature',
    'peer-verified',
  ];
  const prove = (says: (message: string) => string) => ['start sign', 'end sign', says('certificate_verify')];
  flight.push(...(isClient ? judge(serverSays) : prove(serverSays)), serverSays('finished'));
  const reply: string[] = asked ? [clientSays('certificate')] : [];
  if (shown) reply.push(...(isClient ? prove(clientSays) : judge(clientSays)));
  reply.push(clientSays('finished'), 'established');
  const traffic = isClient
    ? ['sent key_update', 'key-update sent', 'confirmed', 'received key_update', 'key-update received']
    : ['sent key_update', 'key-update sent', 'received key_update', 'key-update received'];
  const closing = isClient
    ? ['alert sent close_notify', 'alert received close_notify', 'closed']
    : ['alert received close_notify', 'alert sent close_notify', 'closed'];
  return [...hello, ...(retry ? again : []), ...answer, ...flight, ...reply, ...traffic, ...closing];
}

function expectEvents(events: readonly ConnectionEvent[], expected: readonly string[]): void {
  expect(events.map(oneLine)).toEqual(expected);
}

function oneLine(event: ConnectionEvent): string {
  if (event.type === 'message') return `${event.direction} ${event.message}`;
  if (event.type === 'operation') return `${event.phase} ${event.operation}`;
  if (event.type === 'key-update') return `key-update ${event.direction}`;
  if (event.type === 'alert') return `alert ${event.direction} ${event.alert}`;
  return event.type;
}

const LABELS = [
  'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
  'SERVER_HANDSHAKE_TRAFFIC_SECRET',
  'CLIENT_TRAFFIC_SECRET_0',
  'SERVER_TRAFFIC_SECRET_0',
  'EXPORTER_SECRET',
];

/** RFC 9850 2: "<label> <client_random> <secret>" in lower or upper case hexadecimal; both sides have the same. */
function expectKeyLog({ clientKeys, serverKeys, clientEvents }: Pair, { suite, group, retry }: Choice): void {
  expect(clientKeys).toEqual(serverKeys);
  expect(clientKeys.map((line) => line.split(' ')[0])).toEqual(LABELS);
  const hello = clientEvents.find((event) => event.type === 'client-hello');
  const random = hello?.type === 'client-hello' ? Buffer.from(hello.random).toString('hex') : '';
  for (const line of clientKeys) {
    expect(line).toMatch(new RegExp(`^[A-Z0-9_]+ ${random} [0-9a-f]{${2 * SUITES[suite].hashLength}}$`));
  }
  expect(new Set(clientKeys.map((line) => line.split(' ')[2])).size).toBe(LABELS.length);
  const chosen = clientEvents.find((event) => event.type === 'server-hello');
  expect(chosen).toMatchObject({ suite, group, helloRetry: retry });
}
