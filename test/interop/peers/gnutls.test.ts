import { readFileSync } from 'node:fs';
import { expect, test, type TestContext } from 'vitest';
import type { GroupName } from '#handshake';
import { type Child, needs, startChild } from '../../support/child.ts';
import { eventually } from '../../support/patience.ts';
import { startServer, trust } from '../../support/engine.ts';
import { freePort } from '#runtime/testing';
import { makeAuthority } from '#identity/testing';
import { CLIENT_ID, type PeerOptions, SERVER_ID, testPeer } from './cells.ts';
import { pemFile } from './files.ts';
import { testSessions } from './session-cells.ts';

const GROUPS: Readonly<Record<GroupName, string>> = {
  X25519MLKEM768: 'GROUP-X25519-MLKEM768',
  x25519: 'GROUP-X25519',
  secp256r1: 'GROUP-SECP256R1',
  secp384r1: 'GROUP-SECP384R1',
};

function options({ leaf, authority, groups }: PeerOptions): string[] {
  const only = groups.length === 0 ? [] : ['-GROUP-ALL', ...groups.map((group) => `+${GROUPS[group]}`)];
  return [
    ...['--priority', ['NORMAL', '-VERS-ALL', '+VERS-TLS1.3', ...only].join(':')],
    ...['--x509certfile', pemFile(leaf.pem.chain), '--x509keyfile', pemFile(leaf.pem.key)],
    ...['--x509cafile', pemFile(authority.rootPem)],
  ];
}

/** It looks for host names, which identities of the mesh don't have: the chain is judged by `Status`. */
const ANY_NAME = '--insecure';

async function serve(
  peer: PeerOptions,
  ...more: readonly string[]
): Promise<{ readonly child: Child; readonly port: number }> {
  const port = await freePort();
  const demanding = ['--require-client-cert', '--verify-client-cert'];
  const child = startChild('gnutls-serv', [
    '--echo',
    '-p',
    String(port),
    ...demanding,
    ...options(peer),
    ...more,
  ]);
  await child.says(/IPv4 0\.0\.0\.0 port \d+\.\.\.done/);
  return { child, port };
}

const connect = (port: number, peer: PeerOptions, ...more: readonly string[]): Child =>
  startChild('gnutls-cli', ['-p', String(port), '127.0.0.1', ANY_NAME, ...options(peer), ...more]);

const programs = {
  key: 'gnutls',
  needs: (context: TestContext) => needs(context, 'gnutls-cli'),
  request: 'over the wall\n',
  answer: /^over the wall$/,
} as const;

testPeer({
  ...programs,
  startServer: (peer) => serve(peer),
  startClient: async (port, peer) => connect(port, peer),
});

testSessions({
  ...programs,
  startServer: (peer, staple) =>
    serve(
      peer,
      '--earlydata',
      '--maxearlydata=1000',
      ...(staple === undefined ? [] : [`--ocsp-response=${staple}`]),
    ),
  returnTo: async (port, peer, early) =>
    connect(
      port,
      peer,
      '--resume',
      '--waitresumption',
      ...(early === undefined ? [] : [`--earlydata=${pemFile(early)}`]),
    ),
  async readStaple(port, peer) {
    const saved = pemFile('');
    const child = connect(port, peer, `--save-ocsp=${saved}`);
    return { child, got: (der) => eventually(() => readFileSync(saved)).toEqual(Buffer.from(der)) };
  },
});

test('its KeyUpdate: our answer to one that asks for ours too', async (context) => {
  needs(context, 'gnutls-cli');
  const authority = makeAuthority();
  const leafOf = (spiffeId: string) => authority.makeLeaf({ spiffeId });
  const { port, next } = await startServer({
    credential: leafOf(SERVER_ID).credential,
    clientAuthentication: { mode: 'request', required: true, verifier: trust(authority) },
  });
  const peer = { leaf: leafOf(CLIENT_ID), authority, groups: [] };
  const child = startChild('gnutls-cli', [
    ...['-p', String(port), '127.0.0.1', ANY_NAME, '--inline-commands'],
    ...options(peer),
  ]);
  const { witness } = await next();
  child.write('before\n');
  await child.says(/^before$/m);
  child.write('^rekey^\n');
  await eventually(() => witness.keyUpdates('received')).toBe(1);
  child.write('after\n');
  await child.says(/^after$/m);
  expect(witness.keyUpdates('sent')).toBe(1);
});
