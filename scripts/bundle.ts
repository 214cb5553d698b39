/** `npm run bundle`: writes dist/bundle, the whole product. See image/bundle.ts. */
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeBundle } from './image/bundle.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const folder = join(project, 'dist/bundle');
await writeBundle(project, folder);
const files = globSync(join(folder, '*.mjs'));
const size = files.reduce((sum, file) => sum + statSync(file).size, 0);
console.log(`dist/bundle: ${(size / 1e6).toFixed(1)} MB of program in ${files.length} files`);
