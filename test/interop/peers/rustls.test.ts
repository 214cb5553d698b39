import { execFileSync, spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test, type TestContext } from 'vitest';
import { makeAuthority } from '#identity/testing';
import { type Child, startChild } from '../../support/child.ts';
import { startServer, trust } from '../../support/engine.ts';
import { eventually } from '../../support/patience.ts';
import { CLIENT_ID, type PeerOptions, SERVER_ID, testPeer } from './cells.ts';
import { pemFile } from './files.ts';
import { testSessions } from './session-cells.ts';

/** Of which about 20 s of one processor are needed, once for each machine: then nothing is left to do. */
const BUILD_MILLISECONDS = 600_000;
const SOURCE = join(import.meta.dirname, '../rustls');
const TARGET = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sallyport/interop-rustls');
const program = join(TARGET, 'debug/sallyport-interop-rustls');
let absent: string | undefined;

/** Only what the lock names, and no toolchain but the one that is there. Whose registry is away, has no rustls. */
beforeAll(() => {
  const cargo = ['cargo', join(homedir(), '.cargo/bin/cargo')].find(
    (path) => spawnSync(path, ['--version']).status === 0,
  );
  if (cargo === undefined) {
    absent = 'cargo is not installed';
    return;
  }
  try {
    execFileSync(cargo, ['build', '--locked', '--quiet'], {
      cwd: SOURCE,
      env: { ...process.env, CARGO_TARGET_DIR: TARGET },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: BUILD_MILLISECONDS,
    });
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr?.toString().trim() ?? String(error);
    // Its sources are not to be had, or it is too old to read them: that says nothing of ours.
    if (
      !/failed to (download|get|fetch|parse)|requires rustc|lock file version|Could ?n.t resolve/i.test(said)
    ) {
      throw new Error(`test/interop/rustls does not build:\n${said}`, { cause: error });
    }
    absent = `rustls can't be built: ${said.split('\n')[0]}`;
  }
}, BUILD_MILLISECONDS);

function needs(context: TestContext): void {
  if (absent !== undefined) context.skip(absent);
}

function options({ leaf, authority, groups }: PeerOptions): string[] {
  return [
    ...['--cert', pemFile(leaf.pem.chain), '--key', pemFile(leaf.pem.key)],
    ...['--ca', pemFile(authority.rootPem), '--groups', groups.join(':')],
  ];
}

async function serve(args: readonly string[]): Promise<{ readonly child: Child; readonly port: number }> {
  const child = startChild(program, args);
  const [, port] = await child.says(/^PORT (\d+)$/m);
  return { child, port: Number(port) };
}

const connect = (port: number, ...args: string[]): Child =>
  startChild(program, ['--connect', `127.0.0.1:${port}`, ...args]);

/** webpki refuses every chain below an authority that is bound to URIs, as the mesh's is. */
const authority = makeAuthority({ intermediates: [{ permitted: [] }] });
const peer = {
  key: 'rustls',
  authority,
  needs,
  request: 'over the wall\n',
  answer: /^over the wall$/,
} as const;

testPeer({
  ...peer,
  startServer: (asked) => serve(options(asked)),
  startClient: async (port, asked) => connect(port, ...options(asked)),
});

testSessions({
  ...peer,
  startServer: (asked, staple) =>
    serve([...options(asked), ...(staple === undefined ? [] : ['--staple', staple])]),
  returnTo: async (port, asked, early) =>
    connect(
      port,
      ...options(asked),
      ...['--meet', 'hello', ...(early === undefined ? [] : ['--early', early.trim()])],
    ),
  async readStaple(port, asked) {
    const child = connect(port, ...options(asked));
    return { child, got: ({ length }) => child.says(new RegExp(`^{"staple":${length}}$`, 'm')) };
  },
});

test('its KeyUpdate', async (context) => {
  needs(context);
  const { port, next } = await startServer({
    credential: authority.makeLeaf({ spiffeId: SERVER_ID }).credential,
    clientAuthentication: { mode: 'request', required: true, verifier: trust(authority) },
  });
  const leaf = authority.makeLeaf({ spiffeId: CLIENT_ID });
  const child = connect(port, ...options({ leaf, authority, groups: [] }));
  const { witness } = await next();
  child.write('before\nREKEY\nafter\n');
  await child.says(/^after$/m);
  await eventually(() => witness.keyUpdates('received')).toBe(1);
  expect(child.output).toMatch(/^before$/m);
});
