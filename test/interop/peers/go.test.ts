import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, type TestContext } from 'vitest';
import { type Child, startChild } from '../../support/child.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { type PeerOptions, testPeer } from './cells.ts';
import { pemFile } from './files.ts';
import { testSessions } from './session-cells.ts';

/** What test/interop/go/go.mod asks for. */
const LEAST_MINOR = 25;
const BUILD_MILLISECONDS = 120_000;
const SOURCE = new URL('../go/', import.meta.url).pathname;
const program = join(temporaryFolder('go-peer'), 'peer');
let absent: string | undefined;

/** Go's own build cache makes every build but the first one quick. */
beforeAll(() => {
  const go = ['go', '/usr/local/go/bin/go'].find((path) => minorOf(path) >= LEAST_MINOR);
  if (go === undefined) {
    absent = `Go 1.${LEAST_MINOR} or later is not installed`;
    return;
  }
  execFileSync(go, ['build', '-o', program, '.'], {
    cwd: SOURCE,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local' },
    timeout: BUILD_MILLISECONDS,
  });
}, BUILD_MILLISECONDS);

function minorOf(go: string): number {
  try {
    const version = execFileSync(go, ['env', 'GOVERSION'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(/^go1\.(\d+)/.exec(version)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function options({ leaf, authority, groups }: PeerOptions): string[] {
  return [
    ...['-cert', pemFile(leaf.pem.chain), '-key', pemFile(leaf.pem.key)],
    ...['-ca', pemFile(authority.rootPem), '-groups', groups.join(':')],
  ];
}

async function serve(args: readonly string[]): Promise<{ readonly child: Child; readonly port: number }> {
  const child = startChild(program, args);
  const [, port] = await child.says(/^PORT (\d+)$/m);
  return { child, port: Number(port) };
}

const connect = (port: number, ...args: string[]): Child =>
  startChild(program, ['-connect', `127.0.0.1:${port}`, ...args]);

const peer = {
  key: 'go',
  needs(context: TestContext) {
    if (absent !== undefined) context.skip(absent);
  },
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
    serve([...options(asked), ...(staple === undefined ? [] : ['-staple', staple])]),
  returnTo: async (port, asked) => connect(port, ...options(asked), '-meet', 'hello'),
  async readStaple(port, asked) {
    const child = connect(port, ...options(asked));
    return { child, got: ({ length }) => child.says(new RegExp(`"staple":${length}[,}]`)) };
  },
});
