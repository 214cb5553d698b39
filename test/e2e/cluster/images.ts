import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OciImage, writeOciArchive } from '../../../scripts/image/oci-archive.ts';
import { copyPrograms } from '../../../scripts/image/programs.ts';

/** Images that stories use. Nothing is pulled: pods say `imagePullPolicy: Never`. */
export const IMAGES = {
  sallyport: 'localhost/sallyport:test',
  /** Node with apps/app.ts: a server and a client in one. */
  application: 'localhost/application:test',
  /** busybox, nft, iptables. */
  tools: 'localhost/tools:test',
} as const;

const project = fileURLToPath(new URL('../../../', import.meta.url));

/** Builds the images of the stories as archives in a folder. The bundle and the image of Sallyport are built first. */
export function buildStoryImages(folder: string): string[] {
  const node = join(project, 'node_modules/.bin/node');
  execFileSync(node, ['scripts/bundle.ts'], { cwd: project, stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync(node, ['scripts/image.ts', IMAGES.sallyport], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  mkdirSync(folder, { recursive: true });
  const sallyport = join(folder, 'sallyport.tar');
  cpSync(join(project, 'dist/image/sallyport.tar'), sallyport);
  return [sallyport, application(folder), tools(folder)];
}

/** An image with one program. */
export function programImage(folder: string, name: string, program: string): string {
  return image(folder, { name, entrypoint: ['/program'] }, (root) =>
    copyPrograms(root, [[program, '/program']]),
  );
}

function application(folder: string): string {
  const file = join(folder, 'application.tar');
  const root = join(folder, 'application');
  cpSync(fileURLToPath(new URL('apps', import.meta.url)), join(root, 'app'), { recursive: true });
  writeOciArchive(file, {
    name: IMAGES.application,
    // The lower layer is the one of Sallyport's image: a node keeps it once.
    layers: [join(project, 'dist/image/base'), root],
    entrypoint: ['/usr/local/bin/node', '/app/app.ts'],
    environment: { PATH: '/usr/local/bin' },
  });
  rmSync(root, { recursive: true });
  return file;
}

function tools(folder: string): string {
  const names = [
    'sh',
    'cat',
    'echo',
    'env',
    'id',
    'ip',
    'ls',
    'nc',
    'nslookup',
    'ping',
    'sleep',
    'touch',
    'true',
    'wget',
  ];
  return image(folder, { name: IMAGES.tools, environment: { PATH: '/bin:/usr/sbin' } }, (root) => {
    copyPrograms(root, ['/bin/busybox', '/usr/sbin/nft', '/usr/sbin/xtables-nft-multi']);
    for (const name of names) symlinkSync('busybox', join(root, 'bin', name));
    for (const name of ['iptables', 'ip6tables'])
      symlinkSync('xtables-nft-multi', join(root, 'usr/sbin', name));
    mkdirSync(join(root, 'etc'), { recursive: true });
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\n');
  });
}

function image(folder: string, about: Omit<OciImage, 'layers'>, fill: (root: string) => void): string {
  const short = /([^/:]+):[^:]*$/.exec(about.name)?.[1] ?? 'image';
  const root = join(folder, short);
  mkdirSync(dirname(root), { recursive: true });
  fill(root);
  const file = `${root}.tar`;
  writeOciArchive(file, { ...about, layers: [root] });
  rmSync(root, { recursive: true });
  return file;
}
