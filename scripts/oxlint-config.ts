/**
 * Writes .oxlintrc.json from the tables below. An override in that file replaces a rule's options instead of adding
 * to them, so each override has to repeat all that holds for its files; nobody keeps that right by hand.
 *
 * `node scripts/oxlint-config.ts` writes the file; `--check` fails when the file is not what would be written.
 * Run under the project's Node (node_modules/.bin/node).
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** From the lowest to the highest: a folder imports only from those before it. */
const FOLDERS = [
  'runtime',
  'handshake',
  'rpc',
  'identity',
  'policy',
  'telemetry',
  'sidecar',
  'controller',
  'cli',
];

/** Each third-party package belongs to these folders of src and to no other. */
const OWNERS: Record<string, readonly string[]> = {
  '@grpc/grpc-js': ['rpc'],
  '@grpc/proto-loader': ['rpc'],
  '@kubernetes/client-node': ['controller'],
  '@noble/ciphers': ['handshake/crypto'],
  '@noble/curves': ['handshake/crypto'],
  '@noble/hashes': ['handshake/crypto'],
  '@noble/post-quantum': ['handshake/crypto'],
  '@opentelemetry': ['telemetry'],
  '@peculiar/x509': ['identity/ca'],
  'cli-table3': ['cli'],
  commander: ['cli'],
  koffi: ['sidecar/intercept', 'handshake/crypto', 'cli/give-back'],
  'log-update': ['cli'],
  pino: ['runtime'],
  'reflect-metadata': ['identity/ca'],
  'string-width': ['cli'],
  yaml: ['policy', 'cli'],
  zod: ['policy', 'cli'],
  // In tests and scripts only:
  'fast-check': [],
  pg: [],
  protobufjs: [],
  vitest: [],
  ws: [],
};
/** Dependencies that no file imports. */
const NOT_IMPORTED = ['node'];

/** Parts of the tree that do no I/O and take no time of their own, with the Node modules they may import. */
const PURE_PARTS: Record<string, readonly string[]> = {
  handshake: ['buffer', 'util'],
  'handshake/crypto': ['buffer', 'crypto', 'util'],
  'identity/x509': ['buffer', 'crypto', 'util'],
  'identity/path': ['buffer', 'crypto', 'util'],
  'policy/evaluate': ['buffer', 'util'],
  'policy/match': ['buffer', 'util'],
  'policy/compile': ['buffer', 'crypto', 'util'],
  'controller/discovery/graph': ['buffer', 'crypto', 'util'],
};

/** The one file that speaks TLS as the kubelet does, to the application of its own pod: SECURITY.md. */
const PROBES_TLS = 'sidecar/probes/any-tls';

interface Ban {
  readonly regex?: string;
  readonly group?: readonly string[];
  readonly message: string;
}
interface Override {
  readonly files: readonly string[];
  readonly excludeFiles?: readonly string[];
  readonly rules: Record<string, unknown>;
}

/** Tests beside the code, and the fakes that a folder offers to tests elsewhere. */
const TESTS = ['*.test.ts', 'testing.ts', 'testing/**/*.ts'];
const ALL_TESTS = TESTS.map((name) => `src/**/${name}`);

function overrides(): Override[] {
  const parts = FOLDERS.flatMap((folder) => [folder, ...subParts(folder)]);
  return [
    unknownFolders(),
    ...parts.map(part),
    ...FOLDERS.map(testsOf),
    {
      files: ['src/cli/**/*.ts', ...ALL_TESTS, 'test/**', 'examples/**'],
      rules: { 'node/no-process-env': 'off' },
    },
    testTree(),
  ];
}

/** A new folder can import nothing until it has a row above, instead of everything. */
function unknownFolders(): Override {
  const message = 'This folder is not in scripts/oxlint-config.ts yet.';
  return { files: ['src/**/*.ts'], rules: imports([{ regex: '^[^.]', message }]) };
}

function part(path: string): Override {
  const [folder = ''] = path.split('/');
  const bans = [...boundaryBans(folder), ...packageBans(path), ...nodeBans(path)];
  return { files: filesOf(path), excludeFiles: ALL_TESTS, rules: { ...imports(bans), ...purity(path) } };
}

/** Tests beside the code keep the order of folders and the doors; Node modules, packages and time are theirs to choose. */
function testsOf(folder: string): Override {
  const rules = {
    ...imports(orderBans(folder)),
    'no-restricted-globals': 'off',
    'no-restricted-properties': 'off',
  };
  return { files: TESTS.map((name) => `src/${folder}/**/${name}`), rules: { ...rules, ...LAX_IN_TESTS } };
}

function testTree(): Override {
  const message = 'Use a door of package.json#imports instead of a path into src.';
  return {
    files: ['test/**/*.ts'],
    rules: { ...imports([{ regex: '^(\\./)?(\\.\\./)+src(/|$)', message }]), ...LAX_IN_TESTS },
  };
}

function orderBans(folder: string): Ban[] {
  const higher = FOLDERS.slice(FOLDERS.indexOf(folder) + 1);
  const others = FOLDERS.filter((other) => other !== folder);
  const order = `src/${folder} imports only from lower folders (${FOLDERS.join(' < ')}).`;
  return [
    ...(higher.length > 0 ? [{ regex: `^#(${higher.join('|')})(/|$)`, message: order }] : []),
    {
      regex: `^(\\./)?(\\.\\./)+(src/)?(${others.join('|')})(/|$)`,
      message: 'Enter another folder through its door in package.json#imports.',
    },
    { regex: '[^./]/\\.\\.(/|$)', message: 'A path goes up only at its start.' },
  ];
}

function boundaryBans(folder: string): Ban[] {
  return [
    ...orderBans(folder),
    { regex: '^#.*/testing$', message: 'Fakes are for tests.' },
    { regex: '^(\\./|\\.\\./).*\\btesting\\.ts$', message: 'Fakes are for tests.' },
  ];
}

function packageBans(path: string): Ban[] {
  const foreign = Object.keys(OWNERS).filter(
    (name) => !OWNERS[name]?.some((owner) => `${path}/`.startsWith(`${owner}/`)),
  );
  const names = foreign.map((name) => name.replaceAll('.', '\\.')).join('|');
  return [
    {
      regex: `^(${names})(/|$)`,
      message: 'This package belongs to another folder: docs/adr/0002-libraries.md.',
    },
  ];
}

function nodeBans(path: string): Ban[] {
  const allowed = PURE_PARTS[path];
  if (allowed !== undefined) {
    const group = ['node:*', 'node:*/**', ...allowed.map((name) => `!node:${name}`)];
    return [
      { group, message: `src/${path} does no I/O: of Node's modules it imports only ${allowed.join(', ')}.` },
    ];
  }
  return [
    ...(path === PROBES_TLS
      ? []
      : [
          {
            regex: '^node:tls$',
            message: "Sallyport speaks TLS with its own engine; Node's is for tests to compare with.",
          },
        ]),
    { regex: '^node:module$', message: 'createRequire would pass by these rules.' },
    ...(path === 'cli' ? [] : [{ regex: '^node:process$', message: 'Only src/cli reads the environment.' }]),
    ...(path === 'handshake/stream'
      ? [{ regex: '^node:(fs|crypto)(/|$)', message: 'stream/ joins the engine to sockets, no more.' }]
      : []),
  ];
}

function purity(path: string): Record<string, unknown> {
  // A part inside a pure folder that is not pure itself takes the folder's ban back.
  if (!(path in PURE_PARTS)) return { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' };
  const names = [
    'clearInterval',
    'clearTimeout',
    'console',
    'fetch',
    'performance',
    'setImmediate',
    'setInterval',
    'setTimeout',
  ];
  if (path === 'handshake') names.push('crypto');
  const message = `src/${path} gets time, randomness and I/O as arguments.`;
  const banned = [
    ['Date', 'now'],
    ['Math', 'random'],
    ['performance', 'now'],
    ['process', 'hrtime'],
  ];
  return {
    'no-restricted-globals': [
      'error',
      { globals: names.map((name) => ({ name, message })), checkGlobalObject: true },
    ],
    'no-restricted-properties': [
      'error',
      ...banned.map(([object, property]) => ({ object, property, message })),
    ],
  };
}

function subParts(folder: string): string[] {
  const named = [...Object.keys(PURE_PARTS), ...Object.values(OWNERS).flat(), 'handshake/stream', PROBES_TLS];
  return [...new Set(named.filter((path) => path.startsWith(`${folder}/`)))];
}

function filesOf(path: string): string[] {
  return path.includes('/') ? [`src/${path}.ts`, `src/${path}/**/*.ts`] : [`src/${path}/**/*.ts`];
}

function imports(patterns: readonly Ban[]): Record<string, unknown> {
  return { 'no-restricted-imports': ['error', { patterns }] };
}

/** Values of type any stay at the door in the product; tests look into JSON as they please. */
const LAX_IN_TESTS = {
  'typescript/no-misused-spread': 'off',
  'typescript/no-unsafe-argument': 'off',
  'typescript/no-unsafe-assignment': 'off',
  'typescript/no-unsafe-call': 'off',
  'typescript/no-unsafe-member-access': 'off',
  'typescript/no-unsafe-return': 'off',
  'typescript/unbound-method': 'off',
};

const config = {
  $schema: './node_modules/oxlint/configuration_schema.json',
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'promise', 'node'],
  categories: { correctness: 'error', suspicious: 'error' },
  env: { node: true, es2024: true },
  ignorePatterns: ['dist', 'node_modules', 'coverage', 'src/rpc/generated'],
  rules: {
    eqeqeq: 'error',
    'import/no-cycle': ['error', { ignoreTypes: true }],
    'node/no-process-env': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/no-unsafe-argument': 'error',
    'typescript/no-unsafe-assignment': 'error',
    'typescript/no-unsafe-call': 'error',
    'typescript/no-unsafe-member-access': 'error',
    'typescript/no-unsafe-return': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/prefer-promise-reject-errors': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    // Off: the compiler or biome says it already, or it is a matter of taste.
    'consistent-return': 'off',
    'no-shadow': 'off',
    'no-underscore-dangle': 'off',
    'no-unused-vars': 'off',
    'import/no-named-as-default-member': 'off',
    'import/no-unassigned-import': 'off',
    'promise/always-return': 'off',
    'typescript/consistent-return': 'off',
    'typescript/no-unnecessary-type-parameters': 'off',
    'typescript/no-unsafe-type-assertion': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'unicorn/no-array-reverse': 'off',
    'unicorn/no-array-sort': 'off',
    'unicorn/no-new-array': 'off',
    'unicorn/no-useless-spread': 'off',
  },
  overrides: overrides(),
};

function complaints(): string[] {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> };
  const owned = (name: string): boolean =>
    Object.keys(OWNERS).some((owner) => `${name}/`.startsWith(`${owner}/`));
  const strays = Object.keys(dependencies).filter((name) => !owned(name) && !NOT_IMPORTED.includes(name));
  const folders = readdirSync(new URL('../src/', import.meta.url)).filter((name) => !FOLDERS.includes(name));
  return [
    ...strays.map((name) => `package ${name} has no owner folder in scripts/oxlint-config.ts`),
    ...folders.map((name) => `src/${name} has no place in the order of folders in scripts/oxlint-config.ts`),
  ];
}

const file = new URL('../.oxlintrc.json', import.meta.url);
const written = `${JSON.stringify(config, null, 2)}\n`;
const found = complaints();
if (process.argv.includes('--check')) {
  const current = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (current !== written) found.push('.oxlintrc.json is out of date: run node scripts/oxlint-config.ts');
} else {
  writeFileSync(file, written);
}
for (const complaint of found) console.error(complaint);
if (found.length > 0) process.exitCode = 1;
