/**
 * Writes dist/bundle: the whole product as one file, with what one file cannot hold beside it.
 *
 * sallyport.mjs              all of src and of the packages it uses (about a tenth of the start time of the sources)
 * node_modules/@koromix/     koffi's native part for this processor, where koffi looks for it
 * LICENSES.txt               the licences of the packages inside
 * sbom.cdx.json              what is inside, as CycloneDX, by `npm sbom`
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { npmSbom } from './image/sbom.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const out = join(project, 'dist/bundle');

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const { metafile } = await build({
  absWorkingDir: project,
  entryPoints: ['src/cli/main.ts'],
  outfile: join(out, 'sallyport.mjs'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node26',
  // Names stay: a stack trace from a user must say where it comes from.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  // Packages written as CommonJS ask for Node's own modules by `require`, which ESM doesn't have.
  banner: { js: requireForEsm() },
  metafile: true,
  logLevel: 'warning',
});
copyKoffi();
writeFileSync(join(out, 'LICENSES.txt'), licences(packagesIn(metafile)));
writeFileSync(join(out, 'sbom.cdx.json'), `${JSON.stringify(npmSbom(project), null, 2)}\n`);
const size = readFileSync(join(out, 'sallyport.mjs')).length;
console.log(`dist/bundle/sallyport.mjs: ${(size / 1e6).toFixed(1)} MB`);

function requireForEsm(): string {
  return [
    "import { createRequire as sallyportCreateRequire } from 'node:module';",
    'const require = sallyportCreateRequire(import.meta.url);',
  ].join('\n');
}

/** The package for this processor, without the build for the C library that the image doesn't have. */
function copyKoffi(): void {
  const name = `@koromix/koffi-${process.platform}-${process.arch}`;
  cpSync(join(project, 'node_modules', name), join(out, 'node_modules', name), {
    recursive: true,
    filter: (path) => !/\/musl_[^/]*$/.test(path),
  });
}

function packagesIn(meta: Metafile): string[] {
  const folders = Object.keys(meta.inputs).flatMap((path) => {
    const found = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path);
    return found === null ? [] : [found[0]];
  });
  return [...new Set(folders)].sort();
}

function licences(folders: readonly string[]): string {
  return folders.map((folder) => `${'='.repeat(80)}\n${licence(join(project, folder))}\n`).join('\n');
}

function licence(folder: string): string {
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, string>;
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8').trim());
  return [`${about.name} ${about.version}: ${about.license}`, ...texts].join('\n\n');
}
