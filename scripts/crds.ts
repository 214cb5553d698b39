/**
 * Writes the CustomResourceDefinitions into deploy/k8s/crds from the schemas that read policy files. `--check` writes
 * nothing and fails if a file is out of date; `npm test` runs it so.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { customResourceDefinitions } from '#policy';

const folder = new URL('../deploy/k8s/crds/', import.meta.url);
const check = process.argv.includes('--check');
const files = Object.entries(customResourceDefinitions()).map(
  ([name, text]) => [name, `# Written by scripts/crds.ts. Do not edit.\n${text}`] as const,
);
const stale = files.filter(([name, text]) => text !== current(name));
mkdirSync(folder, { recursive: true });
for (const [name, text] of stale) {
  if (!check) writeFileSync(new URL(name, folder), text);
  console.log(`deploy/k8s/crds/${name} ${check ? 'is out of date: run `node scripts/crds.ts`' : 'written'}`);
}
process.exitCode = check && stale.length > 0 ? 1 : 0;

function current(name: string): string | undefined {
  try {
    return readFileSync(new URL(name, folder), 'utf8');
  } catch {
    return undefined;
  }
}
