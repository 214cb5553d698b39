import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import type { ClusterHandle } from './cluster.ts';
import { buildStoryImages } from './images.ts';
import { IMAGE_PACKAGES, installMissing } from './packages.ts';
import { clusterProvider } from './providers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The running cluster, or why there is none. */
    cluster: ClusterHandle | { readonly unavailable: string };
  }
}

/** Brings one cluster up for all stories and ends it after the last. Where there can be none, the stories say why. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const { E2E_CLUSTER: name = 'bare', E2E_NODES: nodes = '2' } = process.env;
  const provider = clusterProvider(name);
  const unavailable = provider.unavailable();
  if (unavailable !== undefined) {
    progress(`no cluster: ${unavailable}`);
    project.provide('cluster', { unavailable });
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-images-'));
  try {
    await installMissing(IMAGE_PACKAGES, progress);
    progress('building the images');
    const images = [await buildStoryImages(folder)];
    const cluster = await provider.up({ nodes: nodeCount(nodes), images, progress });
    project.provide('cluster', cluster.handle);
    return () => cluster.down();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function progress(line: string): void {
  process.stdout.write(`cluster: ${line}\n`);
}

function nodeCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 9) throw new Error(`E2E_NODES=${text}: 1 to 9`);
  return count;
}
