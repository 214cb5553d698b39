import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import type { GroupName } from '#handshake';
import type { TestLeaf } from '#identity/testing';
import { freePort } from '#runtime/testing';
import { type Child, needs, startChild } from '../../support/child.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { type PeerOptions, testPeer } from './cells.ts';
import { testSessions } from './session-cells.ts';
import { pemFile } from './files.ts';

const GROUPS: Readonly<Partial<Record<GroupName, string>>> = {
  x25519: 'x25519',
  secp256r1: 'P256',
  secp384r1: 'P384',
};

/** Its default leaves rsa_pss_pss_* out. */
const SCHEMES =
  'ecdsa_secp256r1_sha256,ecdsa_secp384r1_sha384,rsa_pss_rsae_sha256,rsa_pss_pss_sha256,rsa_pkcs1_sha256';

const folder = temporaryFolder('nss');

const databases = new Map<TestLeaf, string>();

/** A database that trusts the authority and holds the leaf as `peer`; made once a leaf. */
function databaseOf(options: PeerOptions): string {
  const path = databases.get(options.leaf) ?? makeDatabase(options);
  databases.set(options.leaf, path);
  return path;
}

function makeDatabase({ leaf, authority }: PeerOptions): string {
  const path = `sql:${mkdtempSync(join(folder, 'db-'))}`;
  const run = (command: string, ...args: string[]): void => {
    execFileSync(command, [...args, '-d', path], { stdio: 'ignore' });
  };
  const bundle = join(path.slice(4), 'leaf.p12');
  const [chain, key] = [pemFile(leaf.pem.chain), pemFile(leaf.pem.key)];
  execFileSync('openssl', [
    ...[
      'pkcs12',
      '-export',
      '-in',
      chain,
      '-inkey',
      key,
      '-name',
      'peer',
      '-passout',
      'pass:',
      '-out',
      bundle,
    ],
  ]);
  run('certutil', '-N', '--empty-password');
  run('certutil', '-A', '-n', 'root', '-t', 'CT,,', '-a', '-i', pemFile(authority.rootPem));
  run('pk12util', '-i', bundle, '-W', '');
  return path;
}

function common(options: PeerOptions): string[] {
  const groups = options.groups.map((group) => GROUPS[group]).join(',');
  return [
    '-d',
    databaseOf(options),
    '-n',
    'peer',
    '-V',
    'tls1.3:tls1.3',
    '-J',
    SCHEMES,
    ...(groups ? ['-I', groups] : []),
  ];
}

/** Its server speaks HTTP. It takes every certificate that leads to the root, for `-r -r` demands one. */
const peer = {
  key: 'nss',
  needs(context: TestContext) {
    needs(context, 'tstclnt');
    needs(context, 'openssl');
  },
  request: 'GET / HTTP/1.0\r\n\r\n',
  answer: /^HTTP\/1\.0 200 OK/,
} as const;

async function serve(
  options: PeerOptions,
  ...more: readonly string[]
): Promise<{ readonly child: Child; readonly port: number }> {
  const port = await freePort();
  const child = startChild('selfserv', ['-p', String(port), '-v', '-r', '-r', ...common(options), ...more]);
  await child.says(/About to call accept/);
  return { child, port };
}

testPeer({
  ...peer,
  startServer: (options) => serve(options),
  /** `-o` is for the name alone: it looks for host names, which identities of the mesh don't have. */
  startClient: async (port, options) =>
    startChild('tstclnt', ['-h', '127.0.0.1', '-p', String(port), '-o', ...common(options)]),
});

testSessions({
  ...peer,
  startServer: (options) => serve(options, '-u', '-Z'),
  returnTo: () => Promise.reject(new Error('tstclnt was not brought to a second connection')),
  readStaple: () => Promise.reject(new Error('tstclnt shows no response')),
});
