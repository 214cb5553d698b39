import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeBundle } from '../../../scripts/image/bundle.ts';
import { type OciImage, writeOciArchive } from '../../../scripts/image/oci-archive.ts';
import { copyPrograms } from '../../../scripts/image/programs.ts';
import { sallyportImage } from '../../../scripts/image/sallyport.ts';

/** Images that stories use. Nothing is pulled: pods say `imagePullPolicy: Never`. */
export const IMAGES = {
  sallyport: 'localhost/sallyport:test',
  /** Node with apps/app.ts: a server and a client in one. */
  application: 'localhost/application:test',
  /** busybox, nft, iptables. */
  tools: 'localhost/tools:test',
} as const;

const project = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Builds the images of the stories into a folder, as one archive: its path. Everything is made from the tree as it is
 * now.
 */
export async function buildStoryImages(folder: string): Promise<string> {
  const bundle = join(folder, 'bundle');
  await writeBundle(project, bundle);
  const sallyport = sallyportImage(project, bundle, join(folder, 'sallyport'), IMAGES.sallyport);
  // The lower layer is the one of Sallyport's image: Node. A cluster's node keeps it once.
  const [node = ''] = sallyport.layers;
  const file = join(folder, 'stories.tar');
  writeOciArchive(file, [sallyport, await application(folder, node), tools(folder)]);
  return file;
}

/** An image with one program, as an archive: its path. */
export function programImage(folder: string, name: string, program: string): string {
  const root = join(folder, basename(program));
  copyPrograms(root, [[program, '/program']]);
  const file = `${root}.tar`;
  writeOciArchive(file, [{ name, layers: [root], entrypoint: ['/program'] }]);
  rmSync(root, { recursive: true });
  return file;
}

async function application(folder: string, node: string): Promise<OciImage> {
  const root = join(folder, 'application');
  cpSync(fileURLToPath(new URL('apps', import.meta.url)), join(root, 'app'), { recursive: true });
  // Speaks to the controller as a sidecar does: with parts of Sallyport inside.
  await build({
    absWorkingDir: project,
    entryPoints: ['test/e2e/cluster/programs/issue.ts'],
    outfile: join(root, 'app/issue.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['koffi'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  return {
    name: IMAGES.application,
    layers: [node, root],
    entrypoint: ['/usr/local/bin/node', '/app/app.ts'],
    environment: { PATH: '/usr/local/bin' },
  };
}

function tools(folder: string): OciImage {
  const root = join(folder, 'tools');
  copyPrograms(root, ['/bin/busybox', '/usr/sbin/nft', '/usr/sbin/xtables-nft-multi']);
  for (const name of BUSYBOX) symlinkSync('busybox', join(root, 'bin', name));
  for (const name of ['iptables', 'ip6tables'])
    symlinkSync('xtables-nft-multi', join(root, 'usr/sbin', name));
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\n');
  return { name: IMAGES.tools, layers: [root], environment: { PATH: '/bin:/usr/sbin' } };
}

const BUSYBOX = [
  'sh',
  'cat',
  'echo',
  'env',
  'id',
  'ip',
  'ls',
  'nc',
  'ping',
  'sleep',
  'touch',
  'true',
  'wget',
];
