import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { npmSbom } from './sbom.ts';

/**
 * Writes the whole product into a folder, all of src and of the packages it uses, which starts several times faster than
 * the sources:
 *
 * sallyport.mjs              the program
 * *.mjs                      what a command needs and others don't: a sidecar must not carry the rest in its memory
 * node_modules/@koromix/     koffi's native part for this processor, where koffi looks for it
 * k8s/                       the manifests that `sallyport install` applies
 * LICENSES.txt               the licences of the packages inside
 * sbom.cdx.json              what is inside, as CycloneDX, by `npm sbom`
 */
export async function writeBundle(project: string, folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: project,
    entryPoints: ['src/cli/main.ts'],
    outdir: folder,
    entryNames: 'sallyport',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    // Names stay: a stack trace from a user must say where it comes from.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    plugins: [nodeModulesByRequire, englishOnly],
    banner: { js: REQUIRE },
    metafile: true,
    logLevel: 'warning',
  });
  refuseWhole(metafile);
  copyKoffi(project, folder);
  cpSync(join(project, 'deploy/k8s'), join(folder, 'k8s'), { recursive: true });
  writeFileSync(join(folder, 'LICENSES.txt'), licences(project, packagesIn(metafile)));
  writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(npmSbom(project), null, 2)}\n`);
}

/**
 * Takes Node's own modules by `require`, when the code that wants them runs. An `import` of them stands at the top of the
 * bundle and loads all that any command may need; that of node:http alone also makes every global of the browser's,
 * which costs more time and memory than the rest of Sallyport.
 */
const nodeModulesByRequire: Plugin = {
  name: 'node-modules-by-require',
  setup: (builder) => {
    builder.onResolve({ filter: /^node:/ }, ({ path, namespace, kind }) =>
      // A dynamic import waits by itself, and has the names that its code asks for.
      namespace === 'by-require' || kind === 'dynamic-import'
        ? { path, external: true }
        : { path, namespace: 'by-require' },
    );
    builder.onLoad({ filter: /^/, namespace: 'by-require' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }));
  },
};

/** zod brings its messages in fifty languages, a seventh of the bundle; all that Sallyport says is English. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup: (builder) => {
    builder.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, ({ path }) => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: dirname(path),
    }));
  },
};

/** What only a bundle with all of zod has in it: nothing here reads JSON Schema. */
const NEEDLESS = /\/zod\/v4\/classic\/from-json-schema\.js$/;

/** `import { z } from 'zod'` takes an object with all of it, of which nothing can be left out: 9 MiB of memory. */
function refuseWhole({ outputs }: Metafile): void {
  for (const { inputs } of Object.values(outputs)) {
    if (Object.keys(inputs).some((path) => NEEDLESS.test(path)))
      throw new Error("a file has `import { z } from 'zod'`: write `import * as z from 'zod'`");
  }
}

/** ESM has none. Packages written as CommonJS ask for it too. */
const REQUIRE = [
  "import { createRequire as sallyportCreateRequire } from 'node:module';",
  'const require = sallyportCreateRequire(import.meta.url);',
].join('\n');

/** The package for this processor, without the build for a C library that the image doesn't have. */
function copyKoffi(project: string, folder: string): void {
  const name = `@koromix/koffi-${process.platform}-${process.arch}`;
  cpSync(join(project, 'node_modules', name), join(folder, 'node_modules', name), {
    recursive: true,
    filter: (path) => !/\/musl_[^/]*$/.test(path),
  });
}

function packagesIn({ inputs }: Metafile): string[] {
  const folders = Object.keys(inputs).flatMap((path) => {
    const found = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path);
    return found === null ? [] : [found[0]];
  });
  return [...new Set(folders)].sort();
}

function licences(project: string, folders: readonly string[]): string {
  return folders.map((folder) => `${'='.repeat(80)}\n${licence(join(project, folder))}\n`).join('\n');
}

function licence(folder: string): string {
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, string>;
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8').trim());
  return [`${about.name} ${about.version}: ${about.license}`, ...texts].join('\n\n');
}
