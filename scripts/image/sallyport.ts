import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { OciImage } from './oci-archive.ts';
import { copyPrograms } from './programs.ts';
import { addDebianPackages, debianPackagesOf, type Sbom } from './sbom.ts';

/**
 * Writes the files of Sallyport's image under a folder: `base`, which seldom changes, and `application`. Debian only:
 * it is where the programs come from.
 *
 * No shell, no package manager, nothing writable; runs as uid 1337 (whose connections the capture rules let pass).
 *
 * @param bundle what writeBundle wrote
 */
export function sallyportImage(project: string, bundle: string, folder: string, name: string): OciImage {
  rmSync(folder, { recursive: true, force: true });
  const base = join(folder, 'base');
  const application = join(folder, 'application');
  const packages = writeBase(project, base);
  writeApplication(project, bundle, application, packages);
  writeCompiled(join(project, NODE_HERE), application);
  return {
    name,
    layers: [base, application],
    entrypoint: [NODE, '/app/sallyport.mjs'],
    user: `${UID}:${UID}`,
    environment: {
      PATH: '/usr/local/bin:/usr/sbin:/usr/bin',
      NODE_COMPILE_CACHE: COMPILED,
      NODE_COMPILE_CACHE_PORTABLE: '1',
    },
    labels: {
      'org.opencontainers.image.title': 'sallyport',
      'org.opencontainers.image.licenses': 'Apache-2.0',
    },
  };
}

const UID = 1337;
const NODE = '/usr/local/bin/node';
const NODE_HERE = 'node_modules/node/bin/node';
const COMPILED = '/app/compiled';
/** What containers run. */
const LOADED = [
  ['--help'],
  ['init', '--print'],
  ['sidecar', '--config', '/nonexistent'],
  ['drain', '--admin-port', '1'],
];

/** What `sallyport init` sets rules with: nft, or one of the iptables where the kernel has no nftables. */
const CAPTURE_PROGRAMS = ['/usr/sbin/nft', '/usr/sbin/xtables-nft-multi', '/usr/sbin/xtables-legacy-multi'];
const IPTABLES = { '': 'xtables-nft-multi', '-legacy': 'xtables-legacy-multi' };
/** What the rules match by, each a library of its own. */
const EXTENSIONS = [
  'addrtype',
  'conntrack',
  'multiport',
  'owner',
  'standard',
  'tcp',
  'udp',
  'NAT',
  'REDIRECT',
];

/** The layer that seldom changes. Returns the names of the Debian packages that its files come from. */
function writeBase(project: string, base: string): string[] {
  const extensions = globSync(`/usr/lib/*/xtables/libxt_{${EXTENSIONS.join(',')}}.so`);
  const node = join(project, NODE_HERE);
  const files = copyPrograms(base, [[node, NODE], ...CAPTURE_PROGRAMS, ...extensions]);
  for (const [flavour, program] of Object.entries(IPTABLES)) {
    for (const family of ['iptables', 'ip6tables']) {
      for (const action of ['', '-save', '-restore']) {
        symlinkSync(program, join(base, 'usr/sbin', `${family}${flavour}${action}`));
      }
    }
  }
  const packages = debianPackagesOf(files.filter((file) => file !== realpathSync(node)));
  for (const each of packages) {
    cpSync(`/usr/share/doc/${each}/copyright`, join(base, 'usr/share/doc', each, 'copyright'), {
      dereference: true,
    });
  }
  mkdirSync(join(base, 'etc'), { recursive: true });
  writeFileSync(
    join(base, 'etc/passwd'),
    `root:x:0:0::/:/nonexistent\nsallyport:x:${UID}:${UID}::/:/nonexistent\n`,
  );
  writeFileSync(join(base, 'etc/group'), `root:x:0:\nsallyport:x:${UID}:\n`);
  return packages;
}

function writeApplication(
  project: string,
  bundle: string,
  application: string,
  packages: readonly string[],
): void {
  cpSync(bundle, join(application, 'app'), { recursive: true });
  // For hooks, which run a command in the container: `sallyport drain`.
  mkdirSync(join(application, 'usr/local/bin'), { recursive: true });
  const command = join(application, 'usr/local/bin/sallyport');
  writeFileSync(command, `#!${NODE}\nimport('/app/sallyport.mjs');\n`);
  chmodSync(command, 0o755);
  for (const file of ['LICENSE', 'NOTICE']) cpSync(join(project, file), join(application, 'app', file));
  const file = join(application, 'app/sbom.cdx.json');
  const sbom = addDebianPackages(JSON.parse(readFileSync(file, 'utf8')) as Sbom, packages);
  writeFileSync(file, `${JSON.stringify(sbom, null, 2)}\n`);
}

/**
 * What V8 compiles at the start, which Node otherwise does anew each time: half of the time to start. Another Node, or one
 * with other flags, does not take it and starts as if it weren't there.
 */
function writeCompiled(node: string, application: string): void {
  const folder = join(application, COMPILED);
  const environment = { NODE_COMPILE_CACHE: folder, NODE_COMPILE_CACHE_PORTABLE: '1' };
  const program = join(application, 'app/sallyport.mjs');
  // Each loads what its command consists of; that it has nothing to do here is its exit code's matter.
  for (const args of LOADED) spawnSync(node, [program, ...args], { env: environment, stdio: 'ignore' });
  for (const file of globSync(join(folder, '*/*'))) chmodSync(file, 0o644);
}
