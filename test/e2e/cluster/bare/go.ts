import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, globSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ociArchitecture } from '../../../../scripts/image/oci-archive.ts';
import { run } from '../command.ts';
import { installMissing } from '../packages.ts';

/** What Kubernetes and CoreDNS are built with, at least. */
const VERSION = '1.26.8';
const LEAST_MINOR = 26;
const GO_PACKAGES = { '/usr/bin/go': 'golang-go', '/etc/ssl/certs/ca-certificates.crt': 'ca-certificates' };

/**
 * The path of a `go` that is new enough. Where there is none, any older one (Debian's, if need be) fetches it: Go's
 * toolchains are modules, so they come from the module proxy that it is set up with, checked by its checksum database.
 */
export async function findGo(cache: string, progress: (line: string) => void): Promise<string> {
  const own = join(cache, `go-${VERSION}`);
  if (existsSync(join(own, 'bin/go'))) return join(own, 'bin/go');
  const [, minor] = /go1\.(\d+)/.exec(goVersion()) ?? [];
  if (Number(minor ?? 0) >= LEAST_MINOR) return 'go';
  if (minor === undefined) await installMissing(GO_PACKAGES, progress);
  progress(`fetching Go ${VERSION} as a module`);
  await fetchToolchain(own);
  return join(own, 'bin/go');
}

function goVersion(): string {
  try {
    return execFileSync('go', ['env', 'GOVERSION'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}

/** Does by hand what Go 1.21 and newer do themselves: a module holds neither executable files nor a go.mod in src. */
async function fetchToolchain(folder: string): Promise<void> {
  const empty = mkdtempSync(join(tmpdir(), 'sallyport-go-'));
  const module = `golang.org/toolchain@v0.0.1-go${VERSION}.linux-${ociArchitecture()}`;
  try {
    const options = { cwd: empty, timeoutMilliseconds: 15 * 60_000 };
    const answer = await run(['go', 'mod', 'download', '-json', module], options);
    const { Dir } = JSON.parse(answer) as { Dir: string };
    rmSync(`${folder}.part`, { recursive: true, force: true });
    cpSync(Dir, `${folder}.part`, { recursive: true });
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
  for (const program of globSync(`${folder}.part/{bin/*,pkg/tool/*/*}`)) chmodSync(program, 0o755);
  for (const file of globSync(`${folder}.part/**/_go.mod`))
    renameSync(file, file.replace(/_go\.mod$/, 'go.mod'));
  renameSync(`${folder}.part`, folder);
}
