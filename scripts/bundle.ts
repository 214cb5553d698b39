/** `npm run bundle`: writes dist/bundle, the whole product as one file. See image/bundle.ts. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeBundle } from './image/bundle.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const folder = join(project, 'dist/bundle');
await writeBundle(project, folder);
const { size } = statSync(join(folder, 'sallyport.mjs'));
console.log(`dist/bundle/sallyport.mjs: ${(size / 1e6).toFixed(1)} MB`);
