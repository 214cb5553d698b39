import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface OciImage {
  /** `registry/name:tag`, as pods write it. */
  readonly name: string;
  /** Folders that become layers, the lowest first. A lower one that did not change is stored and sent once. */
  readonly layers: readonly string[];
  readonly entrypoint?: readonly string[];
  /** `uid:gid` */
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Writes images as one archive in the OCI image layout (image-spec v1.1), which `ctr images import`, `docker load`,
 * `kind load image-archive`, skopeo and others read. What images share is in it once. The same folders give the same
 * bytes: times and owners are zero.
 */
export function writeOciArchive(file: string, images: readonly OciImage[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-image-'));
  try {
    mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
    const known = new Map<string, Descriptor>();
    const manifests = images.map((image) => addImage(folder, image, known));
    writeJson(folder, 'index.json', { schemaVersion: 2, mediaType: TYPE.index, manifests });
    writeJson(folder, 'oci-layout', { imageLayoutVersion: '1.0.0' });
    mkdirSync(dirname(file), { recursive: true });
    tar(`${file}.part`, folder, ['oci-layout', 'index.json', 'blobs']);
    renameSync(`${file}.part`, file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Debian's word for a processor is Go's, which is OCI's. */
export function ociArchitecture(arch: string = process.arch): string {
  return arch === 'x64' ? 'amd64' : arch;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const TYPE = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

/** @param known layers that were added already, by their folder */
function addImage(folder: string, image: OciImage, known: Map<string, Descriptor>): unknown {
  const layers = image.layers.map((layer) => {
    const descriptor = known.get(layer) ?? addLayer(folder, layer);
    known.set(layer, descriptor);
    return descriptor;
  });
  const config = addJson(folder, 'config', imageConfig(image, layers));
  const manifest = addJson(folder, 'manifest', {
    schemaVersion: 2,
    mediaType: TYPE.manifest,
    config,
    layers,
  });
  const annotations = {
    'io.containerd.image.name': image.name,
    'org.opencontainers.image.ref.name': image.name.slice(image.name.lastIndexOf(':') + 1),
  };
  return { ...manifest, annotations };
}

function imageConfig(image: OciImage, layers: readonly Descriptor[]): unknown {
  return {
    architecture: ociArchitecture(),
    os: 'linux',
    config: {
      Env: Object.entries(image.environment ?? {}).map(([name, value]) => `${name}=${value}`),
      ...(image.entrypoint === undefined ? {} : { Entrypoint: image.entrypoint }),
      ...(image.user === undefined ? {} : { User: image.user }),
      ...(image.labels === undefined ? {} : { Labels: image.labels }),
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map(() => ({ created_by: 'sallyport scripts/image' })),
  };
}

function addLayer(folder: string, layer: string): Descriptor {
  const file = join(folder, 'layer');
  tar(file, layer, ['.']);
  return addBlob(folder, file, TYPE.layer);
}

function addJson(folder: string, type: 'config' | 'manifest', value: unknown): Descriptor {
  return addBlob(folder, writeJson(folder, 'json', value), TYPE[type]);
}

/** Moves a file to its place among the blobs, which is named for its content. */
function addBlob(folder: string, file: string, mediaType: string): Descriptor {
  const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
  const { size } = statSync(file);
  renameSync(file, join(folder, 'blobs/sha256', hash));
  return { mediaType, digest: `sha256:${hash}`, size };
}

function writeJson(folder: string, name: string, value: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(value));
  return file;
}

function tar(file: string, folder: string, names: readonly string[]): void {
  const same = ['--sort=name', '--mtime=@0', '--numeric-owner', '--owner=0', '--group=0'];
  execFileSync('tar', [...same, '-C', folder, '-cf', file, ...names]);
}
