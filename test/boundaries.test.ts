import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** [file, one line of code] */
type Case = readonly [string, string];

const REFUSED: Record<string, readonly Case[]> = {
  'a folder imports only from lower ones': [
    ['src/runtime/a.ts', `import '#handshake';`],
    ['src/handshake/a.ts', `import type { SpiffeId } from '#identity';`],
    ['src/handshake/tls13/a.ts', `export * from '#identity';`],
    ['src/handshake/crypto/a.ts', `import '#policy';`],
    ['src/identity/a.ts', `import '#policy';`],
    ['src/identity/ca/a.ts', `import '#policy';`],
    ['src/policy/a.ts', `import '#telemetry';`],
    ['src/policy/match/a.ts', `const inner = await import('#telemetry');`],
    ['src/telemetry/a.ts', `import '#sidecar';`],
    ['src/sidecar/a.ts', `import '#cli';`],
    ['src/handshake/a.test.ts', `import '#identity';`],
    ['src/handshake/testing.ts', `import '#identity';`],
  ],
  'another folder is entered by its door': [
    ['src/identity/b.ts', `import '../handshake/index.ts';`],
    ['src/identity/x509/b.ts', `import '../../runtime/bytes.ts';`],
    ['src/sidecar/inbound/b.ts', `import '../../../src/policy/model.ts';`],
    ['src/sidecar/b.ts', `import './inbound/../../policy/model.ts';`],
    ['src/telemetry/b.ts', `import '../cli/main.ts';`],
    ['src/policy/b.test.ts', `import '../identity/spiffe-id.ts';`],
    ['test/interop/b.test.ts', `import '../../src/handshake/connection.ts';`],
  ],
  'fakes are for tests': [
    ['src/sidecar/c.ts', `import '#runtime/testing';`],
    ['src/runtime/c.ts', `import './testing.ts';`],
  ],
  'a package has one owner': [
    ['src/identity/d.ts', `import '@peculiar/x509';`],
    ['src/identity/x509/d.ts', `import '@peculiar/x509';`],
    ['src/handshake/d.ts', `import 'yaml';`],
    ['src/identity/e.ts', `import 'zod';`],
    ['src/sidecar/d.ts', `import 'zod/mini';`],
    ['src/sidecar/e.ts', `import '@opentelemetry/api';`],
    ['src/cli/d.ts', `import '@opentelemetry/sdk-trace';`],
    ['src/handshake/e.ts', `import 'pino';`],
    ['src/cli/e.ts', `import 'pino';`],
    ['src/sidecar/f.ts', `import 'commander';`],
    ['src/sidecar/listen/f.ts', `import 'koffi';`],
    ['src/cli/f.ts', `const { default: koffi } = await import('koffi');`],
    ['src/telemetry/f.ts', `import 'log-update';`],
    ['src/policy/f.ts', `import 'cli-table3';`],
    ['src/sidecar/g.ts', `import 'string-width';`],
    ['src/sidecar/h.ts', `import 'ws';`],
    ['src/runtime/h.ts', `import 'vitest';`],
    ['src/cli/h.ts', `import 'fast-check';`],
  ],
  'node:tls is for tests, and nothing goes round the rules': [
    ['src/sidecar/i.ts', `import 'node:tls';`],
    ['src/sidecar/probes/i.ts', `import 'node:tls';`],
    ['src/handshake/stream/i.ts', `import 'node:tls';`],
    ['src/handshake/i.ts', `import 'node:tls';`],
    ['src/cli/i.ts', `import 'node:module';`],
    ['src/sidecar/j.ts', `import { env } from 'node:process';`],
    ['src/handshake/j.ts', `import { env } from 'node:process';`],
    ['src/newcomer/j.ts', `import '#runtime';`],
  ],
  'the engine is a pure machine': [
    ['src/handshake/k.ts', `import 'node:net';`],
    ['src/handshake/l.ts', `import 'node:stream';`],
    ['src/handshake/m.ts', `import 'node:crypto';`],
    ['src/handshake/tls13/m.ts', `import 'node:crypto';`],
    ['src/handshake/stream/m.ts', `import 'node:crypto';`],
    ['src/handshake/stream/n.ts', `import 'node:fs';`],
    ['src/handshake/crypto/m.ts', `import 'node:net';`],
    ['src/handshake/n.ts', `import 'node:fs/promises';`],
    ['src/handshake/o.ts', `export const at = Date.now();`],
    ['src/handshake/p.ts', `export const at = performance.now();`],
    ['src/handshake/q.ts', `setTimeout(() => undefined, 1);`],
    ['src/handshake/r.ts', `globalThis.setTimeout(() => undefined, 1);`],
    ['src/handshake/s.ts', `export const bytes = crypto.getRandomValues(new Uint8Array(8));`],
    ['src/handshake/t.ts', `export const { now } = Date;`],
    ['src/handshake/crypto/o.ts', `export const at = Date.now();`],
  ],
  'verification and evaluation do no I/O and take no time of their own': [
    'identity/x509',
    'identity/path',
    'policy/match',
    'policy/compile',
    'policy/evaluate',
  ].flatMap((part): Case[] => [
    [`src/${part}/u.ts`, `import 'node:fs';`],
    [`src/${part}/v.ts`, `import 'node:net';`],
    [`src/${part}/w.ts`, `import 'node:timers/promises';`],
    [`src/${part}/x.ts`, `export const at = Date.now();`],
    [`src/${part}/y.ts`, `export const at = performance.now();`],
    [`src/${part}.ts`, `export const at = Math.random();`],
  ]),
};

const PERMITTED: readonly Case[] = [
  ['src/handshake/fine-a.ts', `import { concat } from '#runtime';`],
  ['src/handshake/fine-b.ts', `import './tls13/key-schedule.ts';`],
  ['src/handshake/tls13/fine-a.ts', `import '../wire/reader.ts';`],
  ['src/handshake/crypto/fine-a.ts', `import { createHash } from 'node:crypto';`],
  [
    'src/handshake/stream/fine-a.ts',
    `import { Duplex } from 'node:stream';\nimport 'node:net';\nsetImmediate(() => undefined);`,
  ],
  [
    'src/handshake/fine.test.ts',
    `import 'node:tls';\nimport 'vitest';\nimport 'fast-check';\nimport '#runtime/testing';\nsetTimeout(() => Date.now(), 1);`,
  ],
  ['src/identity/testing.ts', `import '#runtime/testing';\nimport 'node:tls';`],
  ['src/identity/ca/fine.ts', `import '@peculiar/x509';\nimport 'node:fs';\nimport '#handshake/crypto';`],
  ['src/identity/path/fine.ts', `import '../x509/certificate.ts';\nexport const at = new Date(0);`],
  ['src/policy/fine.ts', `import 'zod';\nimport 'yaml';\nimport 'node:fs';\nimport '#identity';`],
  ['src/telemetry/fine.ts', `import '@opentelemetry/api';\nimport '#policy';`],
  [
    'src/sidecar/inbound/fine.ts',
    `import '#telemetry';\nimport '#identity/workload';\nimport '../outbound/route.ts';`,
  ],
  ['src/cli/fine.ts', `import 'commander';\nimport '#sidecar';\nexport const home = process.env['HOME'];`],
  ['src/runtime/fine.ts', `import { pino } from 'pino';\nexport const at = Date.now();`],
  [
    'test/interop/fine.test.ts',
    `import '#handshake/stream';\nimport 'ws';\nimport 'node:tls';\nimport '../support/pair.ts';`,
  ],
];

const ENVIRONMENT: Case = ['src/sidecar/environment.ts', `export const home = process.env['HOME'];`];

const BOUNDARY_RULES = /no-restricted-(imports|globals|properties)|no-process-env/;
const root = join(import.meta.dirname, '..');
const tool = (name: string): string => join(root, 'node_modules/.bin', name);
let tree: string;
let complaints: Map<string, string[]>;

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'sallyport-boundaries-'));
  copyFileSync(join(root, '.oxlintrc.json'), join(tree, '.oxlintrc.json'));
  for (const [file, code] of [...Object.values(REFUSED).flat(), ...PERMITTED, ENVIRONMENT]) {
    mkdirSync(join(tree, dirname(file)), { recursive: true });
    writeFileSync(join(tree, file), `${code}\n`);
  }
  const { stdout } = spawnSync(tool('oxlint'), ['--format', 'json', '.'], { cwd: tree, encoding: 'utf8' });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] };
  complaints = new Map();
  for (const { code, filename } of diagnostics.filter((found) => BOUNDARY_RULES.test(found.code))) {
    complaints.set(filename, [...(complaints.get(filename) ?? []), code]);
  }
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

describe('the linter refuses what crosses a boundary', () => {
  test.each(Object.entries(REFUSED))('%s', (_, cases) => {
    expect(cases.filter(([file]) => !complaints.has(file))).toEqual([]);
  });

  test('what stays within the boundaries passes', () => {
    const wronged = PERMITTED.filter(([file]) => complaints.has(file));
    expect(wronged.map(([file]) => [file, complaints.get(file)])).toEqual([]);
  });

  test('no two cases share a file', () => {
    const files = [...Object.values(REFUSED).flat(), ...PERMITTED].map(([file]) => file);
    expect(new Set(files).size).toBe(files.length);
  });

  test('only src/cli reads the environment, say oxlint and biome', () => {
    expect(complaints.has(ENVIRONMENT[0])).toBe(true);
    copyFileSync(join(root, 'biome.json'), join(tree, 'biome.json'));
    writeFileSync(join(tree, '.gitignore'), 'node_modules/\n');
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    const files = [ENVIRONMENT[0], 'src/cli/fine.ts'];
    const lint = spawnSync(tool('biome'), ['lint', '--colors=off', ...files], {
      cwd: tree,
      encoding: 'utf8',
    });
    const refused = [...lint.stderr.matchAll(/^(\S+?):\S+ lint\/style\/noProcessEnv/gm)].map(
      (found) => found[1],
    );
    expect(refused).toEqual([ENVIRONMENT[0]]);
    expect(lint.status).toBe(1);
  });
});

test('.oxlintrc.json is what scripts/oxlint-config.ts writes; each package and folder has its row there', () => {
  execFileSync(tool('node'), [join(root, 'scripts/oxlint-config.ts'), '--check'], { stdio: 'pipe' });
});
