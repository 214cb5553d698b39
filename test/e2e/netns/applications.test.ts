import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type TestContext, test, vi } from 'vitest';
import { needs } from '../../support/child.ts';
import type { Machine, Output } from '../../support/netns.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { type MeshedPod, NamespaceMesh } from './mesh.ts';
import { STORY_MILLISECONDS } from './story.ts';

vi.setConfig({ testTimeout: STORY_MILLISECONDS });

const FAMILIES = ['ipv4', 'ipv6'] as const;
const PYTHON = '/usr/bin/python3';
/** Of the applications that refuse to run as root. */
const APPLICATION = 1_000;

/** A pod that calls and one that is called, Strict both; nothing is configured in what runs there. */
async function pods(context: TestContext): Promise<{ web: MeshedPod; server: MeshedPod }> {
  const mesh = await NamespaceMesh.create(context, ['web', 'server']);
  const [web, server] = await Promise.all([mesh.start('web'), mesh.start('server')]);
  return { web, server };
}

/** Asks by both families, and sees that every connection was mutual TLS with the other's identity. */
async function askBoth(
  pods: { web: MeshedPod; server: MeshedPod },
  ask: (host: string) => Output,
): Promise<string[]> {
  const answers = FAMILIES.map((family) => {
    const { code, stdout, stderr } = ask(pods.server[family]);
    expect(code, stderr).toBe(0);
    return stdout.trim();
  });
  for (const line of await pods.server.connections('inbound', FAMILIES.length)) {
    expect(line).toMatchObject({ mode: 'mtls', peer: expect.stringMatching(/\/sa\/web$/), level: 'info' });
  }
  return answers;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** A folder that the applications may write to. */
function folderFor(uid: number): string {
  const folder = temporaryFolder('application');
  chownSync(folder, uid, uid);
  chmodSync(folder, 0o755);
  return folder;
}

test('nginx and curl', async (context) => {
  for (const program of ['nginx', 'curl']) needs(context, program);
  const both = await pods(context);
  const file = join(temporaryFolder('nginx'), 'nginx.conf');
  writeFileSync(file, NGINX);
  const { machine } = both.server;
  machine.start('nginx', ['-c', file, '-e', 'stderr']);
  await answersAt(machine, 8_080);
  const answers = await askBoth(both, (host) =>
    both.web.machine.run('curl', [
      '-s',
      '-m',
      '10',
      '--data-binary',
      '@/proc/self/cmdline',
      `http://${bracketed(host)}:8080/`,
    ]),
  );
  expect(answers).toEqual(['POST from nginx', 'POST from nginx']);
});

const NGINX = `
daemon off;
master_process off;
pid /dev/null;
user root;
events {}
http {
  access_log off;
  client_body_temp_path /tmp;
  server {
    listen 8080;
    listen [::]:8080;
    location / { return 200 "$request_method from nginx\\n"; }
  }
}
`;

test('Redis', async (context) => {
  for (const program of ['redis-server', 'redis-cli']) needs(context, program);
  const both = await pods(context);
  const args = ['--port', '6379', '--bind', '*', '-::*', '--protected-mode', 'no', '--save', ''];
  const server = both.server.machine.start('redis-server', args);
  await server.says(/Ready to accept connections/);
  const answers = await askBoth(both, (host) =>
    both.web.machine.run('redis-cli', ['-h', host, 'EVAL', "return redis.call('INCR','n')", '0']),
  );
  expect(answers).toEqual(['1', '2']);
});

test('WebSocket', async (context) => {
  const both = await pods(context);
  const program = 'test/e2e/netns/programs/websocket.ts';
  await both.server.machine.start(process.execPath, [program, 'serve', '8080']).says(/listening/);
  const answers = await askBoth(both, (host) =>
    both.web.machine.run(process.execPath, [program, 'ask', bracketed(host), '8080']),
  );
  expect(answers).toEqual(['echo one\necho two\necho three', 'echo one\necho two\necho three']);
});

test('a stream of gRPC', async (context) => {
  const program = 'test/e2e/netns/programs/grpc_stream.py';
  const both = await pods(context);
  const { machine } = both.server;
  if (machine.run(PYTHON, ['-c', 'import grpc']).code !== 0) context.skip('python3-grpcio is not installed');
  await machine.start(PYTHON, [program, 'serve', '50051']).says(/listening/);
  const answers = await askBoth(both, (host) =>
    both.web.machine.run(PYTHON, [program, 'ask', `${bracketed(host)}:50051`]),
  );
  const five = 'echo 0\necho 1\necho 2\necho 3\necho 4';
  expect(answers).toEqual([five, five]);
});

test('Postgres and psql', async (context) => {
  needs(context, 'psql');
  const both = await pods(context);
  const { machine } = both.server;
  const programs = machine.run('sh', ['-c', 'ls -d /usr/lib/postgresql/*/bin']).stdout.trim();
  if (programs === '') context.skip('postgresql is not installed');
  const folder = join(folderFor(APPLICATION), 'data');
  const made = machine.run(`${programs}/initdb`, ['-D', folder, '-U', 'app', '--no-sync'], {
    uid: APPLICATION,
  });
  expect(made.code, made.stderr).toBe(0);
  writeFileSync(join(folder, 'pg_hba.conf'), 'host all all all trust\n');
  const server = machine.start(`${programs}/postgres`, ['-D', folder, '-h', '*', '-k', '', '-F'], {
    uid: APPLICATION,
  });
  await server.says(/ready to accept connections/, 30_000);
  const answers = await askBoth(both, (host) =>
    both.web.machine.run('psql', [
      '-h',
      host,
      '-U',
      'app',
      '-d',
      'postgres',
      '-Atc',
      'select sum(n) from generate_series(1, 100000) n',
    ]),
  );
  expect(answers).toEqual(['5000050000', '5000050000']);
});

test('MariaDB, where the server speaks first', async (context) => {
  for (const program of ['mariadbd', 'mariadb', 'mariadb-install-db']) needs(context, program);
  const both = await pods(context);
  const { machine } = both.server;
  const folder = folderFor(APPLICATION);
  const made = machine.run(
    'mariadb-install-db',
    [
      `--datadir=${folder}/data`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--no-defaults',
    ],
    { uid: APPLICATION },
  );
  expect(made.code, made.stderr).toBe(0);
  const server = machine.start(
    'mariadbd',
    [
      ...[
        '--no-defaults',
        `--datadir=${folder}/data`,
        `--socket=${folder}/socket`,
        `--pid-file=${folder}/pid`,
      ],
      ...['--bind-address=*', '--skip-grant-tables', '--skip-name-resolve', '--port=3306'],
    ],
    { uid: APPLICATION },
  );
  await server.says(/ready for connections/, 60_000);
  const answers = await askBoth(both, (host) =>
    both.web.machine.run('mariadb', [
      '--no-defaults',
      '-h',
      host,
      '--protocol=tcp',
      '-N',
      '-e',
      'select repeat("x", 5)',
    ]),
  );
  expect(answers).toEqual(['xxxxx', 'xxxxx']);
});

/** Waits until somebody accepts on that port, seen from the machine itself. */
async function answersAt(machine: Machine, port: number): Promise<void> {
  const ask = (): number | null => machine.run('curl', ['-s', '-m', '1', `http://127.0.0.1:${port}/`]).code;
  await expect.poll(ask, { timeout: 20_000 }).toBe(0);
}
