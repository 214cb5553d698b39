/**
 * Builds the container image without a container engine: dist/image/sallyport.tar, an OCI archive, from dist/bundle
 * (`npm run bundle` first), the project's Node, nft and iptables. Debian only: it is where the programs come from.
 *
 * `node scripts/image.ts [--root] [name]`: `--root` writes only the files, for the Dockerfile; the name is
 * `localhost/sallyport:dev` if not given.
 *
 * No shell, no package manager, nothing writable; runs as uid 1337 (which the capture rules let pass).
 */
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeOciArchive } from './image/oci-archive.ts';
import { copyPrograms } from './image/programs.ts';
import { addDebianPackages, debianPackagesOf, npmSbom } from './image/sbom.ts';

const UID = 1337;
const NODE = '/usr/local/bin/node';

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

const project = fileURLToPath(new URL('..', import.meta.url));
const bundle = join(project, 'dist/bundle');
const out = join(project, 'dist/image');
const base = join(out, 'base');
const application = join(out, 'application');

const [name = 'localhost/sallyport:dev'] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
if (!existsSync(bundle)) throw new Error('dist/bundle is missing: run `npm run bundle` first');
rmSync(out, { recursive: true, force: true });
const packages = writeBase();
writeApplication(packages);
if (process.argv.includes('--root')) {
  console.log(`dist/image/base, dist/image/application`);
} else {
  writeOciArchive(join(out, 'sallyport.tar'), {
    name,
    layers: [base, application],
    entrypoint: [NODE, '/app/sallyport.mjs'],
    user: `${UID}:${UID}`,
    environment: { PATH: '/usr/local/bin:/usr/sbin:/usr/bin' },
    labels: {
      'org.opencontainers.image.title': 'sallyport',
      'org.opencontainers.image.licenses': 'Apache-2.0',
    },
  });
  console.log(`dist/image/sallyport.tar: ${name}`);
}

/** The layer that seldom changes. Returns the names of the Debian packages that its files come from. */
function writeBase(): string[] {
  const extensions = globSync(`/usr/lib/*/xtables/libxt_{${EXTENSIONS.join(',')}}.so`);
  const node = join(project, 'node_modules/node/bin/node');
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

function writeApplication(packages: readonly string[]): void {
  cpSync(bundle, join(application, 'app'), { recursive: true });
  for (const file of ['LICENSE', 'NOTICE']) cpSync(join(project, file), join(application, 'app', file));
  const sbom = addDebianPackages(npmSbom(project), packages);
  writeFileSync(join(application, 'app/sbom.cdx.json'), `${JSON.stringify(sbom, null, 2)}\n`);
}
