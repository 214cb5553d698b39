/**
 * Builds the container image without a container engine: dist/image/sallyport.tar, an OCI archive, from dist/bundle
 * (`npm run bundle` first). See image/sallyport.ts.
 *
 * `node scripts/image.ts [--root] [name]`: `--root` writes only the files, for the Dockerfile; the name is
 * `localhost/sallyport:dev` if not given.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeOciArchive } from './image/oci-archive.ts';
import { sallyportImage } from './image/sallyport.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const bundle = join(project, 'dist/bundle');
const out = join(project, 'dist/image');

const [name = 'localhost/sallyport:dev'] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
if (!existsSync(bundle)) throw new Error('dist/bundle is missing: run `npm run bundle` first');
const image = sallyportImage(project, bundle, out, name);
if (process.argv.includes('--root')) {
  console.log('dist/image/base, dist/image/application');
} else {
  writeOciArchive(join(out, 'sallyport.tar'), [image]);
  console.log(`dist/image/sallyport.tar: ${name}`);
}
