import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../command.ts';
import { findGo } from './go.ts';

/** Where they are kept. */
export function programCache(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sallyport/cluster');
}

/** Programs of a cluster that are built here, from their Go modules. */
export interface Programs {
  /** A folder with hyperkube under the name of each of its programs. */
  readonly bin: string;
  readonly coredns: string;
  readonly pause: string;
  readonly helm: string;
}

/**
 * Builds what is not in the cache yet. A program's name there has a hash of what it is built from, so that a change
 * builds it anew.
 */
export async function buildPrograms(cache: string, progress: (line: string) => void): Promise<Programs> {
  const build = (source: Source): Promise<string> => buildProgram(source, cache, progress);
  const hyperkube = await build({
    name: 'hyperkube',
    flags: hyperkubeFlags(),
    takes: 'about 7 minutes on two processors',
  });
  const coredns = await build({ name: 'coredns', flags: STRIPPED, takes: 'about 1 minute' });
  const helm = await build({
    name: 'helm',
    flags: ['-tags', 'netgo osusergo', ...STRIPPED],
    takes: 'about 2 minutes',
  });
  const pause = await build({ name: 'pause', flags: STRIPPED, takes: 'a moment' });
  const bin = `${hyperkube}-bin`;
  mkdirSync(bin, { recursive: true });
  for (const name of HYPERKUBE) {
    if (!existsSync(join(bin, name))) symlinkSync(hyperkube, join(bin, name));
  }
  return { bin, coredns, pause, helm };
}

interface Source {
  /** The folder under go/. */
  readonly name: string;
  readonly flags: readonly string[];
  readonly takes: string;
}

/** One program looks at the name that it is called by: see go/hyperkube/main.go. */
const HYPERKUBE = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
];

export const STRIPPED = ['-ldflags', '-s -w'];

/** Kubernetes says which version it is only if the build tells it; Helm and others ask. */
function hyperkubeFlags(): string[] {
  const [, version = ''] =
    /k8s\.io\/kubernetes (v\S+)/.exec(readFileSync(join(sourceFolder('hyperkube'), 'go.mod'), 'utf8')) ?? [];
  const [major = '', minor = ''] = version.slice(1).split('.');
  const base = 'k8s.io/component-base/version';
  const values = [
    `${base}.gitVersion=${version}`,
    `${base}.gitMajor=${major}`,
    `${base}.gitMinor=${minor}`,
    `${base}.gitTreeState=clean`,
    `${base}.buildDate=2026-01-01T00:00:00Z`,
    `k8s.io/client-go/pkg/version.gitVersion=${version}`,
  ];
  return [
    '-tags',
    'netgo osusergo',
    '-ldflags',
    ['-s -w', ...values.map((value) => `-X ${value}`)].join(' '),
  ];
}

/** The path of one program; builds it if it isn't in the cache. */
export async function buildProgram(
  source: Source,
  cache: string,
  progress: (line: string) => void,
): Promise<string> {
  const file = join(cache, `${source.name}-${sourceHash(source)}`);
  if (existsSync(file)) return file;
  const go = await findGo(cache, progress);
  mkdirSync(cache, { recursive: true });
  progress(`building ${source.name} (${source.takes}; once, then it is kept in ${cache})`);
  const began = Date.now();
  const ticking = setInterval(() => progress(`building ${source.name}: ${elapsed(began)}`), 30_000);
  try {
    // Its own name until it is whole: two runs may build at the same time.
    const part = `${file}.${process.pid}`;
    await run([go, 'build', '-trimpath', '-buildvcs=false', ...source.flags, '-o', part, '.'], {
      cwd: sourceFolder(source.name),
      environment: { CGO_ENABLED: '0', GOTOOLCHAIN: 'local' },
      timeoutMilliseconds: 60 * 60_000,
    });
    renameSync(part, file);
  } finally {
    clearInterval(ticking);
  }
  progress(`built ${source.name} in ${elapsed(began)}`);
  removeOlder(cache, source.name, file);
  return file;
}

function sourceHash(source: Source): string {
  const hash = createHash('sha256').update(source.flags.join('\0'));
  for (const name of ['go.mod', 'go.sum', 'main.go']) {
    const file = join(sourceFolder(source.name), name);
    if (existsSync(file)) hash.update(`\0${name}\0`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 12);
}

function sourceFolder(name: string): string {
  return fileURLToPath(new URL(`../go/${name}`, import.meta.url));
}

function removeOlder(cache: string, name: string, current: string): void {
  for (const entry of readdirSync(cache)) {
    const path = join(cache, entry);
    if (/-[0-9a-f]{12}(-bin)?$/.test(entry) && entry.startsWith(`${name}-`) && !path.startsWith(current)) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

function elapsed(began: number): string {
  const seconds = Math.round((Date.now() - began) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
