import { chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** The runner starts the shim thousands of times: as one file without the logger it costs a fifth of the time. */
export async function writeShim(file: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('shim.ts', import.meta.url))],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    banner: { js: `#!${process.execPath}` },
    plugins: [unusedLogger],
    logLevel: 'warning',
  });
  chmodSync(file, 0o755);
}

/** `#runtime` also exports a log; the shim has none, and esbuild may leave out what has no side effects. */
const unusedLogger: Plugin = {
  name: 'unused-logger',
  setup(builder) {
    builder.onResolve({ filter: /^pino$/ }, ({ path }) => ({ path, external: true, sideEffects: false }));
  },
};
