import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The parts of a CycloneDX document that we read or add to. */
export interface Sbom {
  metadata: { component: { type: string; name: string; version: string } };
  components: Component[];
  dependencies?: unknown[];
}

interface Component {
  type: string;
  name: string;
  version: string;
  purl: string;
  'bom-ref': string;
}

/** What npm says is in the product: the packages that it runs with, with versions, licences and hashes. */
export function npmSbom(project: string): Sbom {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--omit', 'dev'];
  const text = execFileSync('npm', args, {
    cwd: project,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const sbom = JSON.parse(text) as Sbom;
  // npm takes the name of the folder.
  sbom.metadata.component.name = 'sallyport';
  return sbom;
}

/** Adds Debian's packages that files were copied from. */
export function addDebianPackages(sbom: Sbom, names: readonly string[]): Sbom {
  const { id, release } = debian();
  const components = names.map((name): Component => {
    const version = packageField(name, 'Version');
    const query = `arch=${packageField(name, 'Architecture')}&distro=${id}-${release}`;
    const purl = `pkg:deb/${id}/${name}@${encodeURIComponent(version)}?${query}`;
    return { type: 'library', name, version, purl, 'bom-ref': purl };
  });
  return { ...sbom, components: [...sbom.components, ...components] };
}

/** Debian's packages that own these files. Throws if one belongs to none. */
export function debianPackagesOf(files: readonly string[]): string[] {
  // dpkg knows a library by the path it was installed to, which may lack the /usr that a link puts before it.
  const spellings = (file: string): string[] => [file, file.replace(/^\/usr\//, '/'), `/usr${file}`];
  const { stdout } = spawnSync('dpkg-query', ['--search', ...files.flatMap(spellings)], { encoding: 'utf8' });
  const owners = new Map<string, string>();
  for (const line of stdout.split('\n')) {
    const [, name, path] = /^([^:]+)(?::\w+)?: (.*)$/.exec(line) ?? [];
    if (name !== undefined && path !== undefined) owners.set(path, name);
  }
  const found = files.map((file) => {
    const owner = spellings(file).flatMap((path) => owners.get(path) ?? [])[0];
    if (owner === undefined) throw new Error(`no Debian package owns ${file}`);
    return owner;
  });
  return [...new Set(found)].sort();
}

function packageField(name: string, field: string): string {
  const format = `--showformat=\${${field}}\n`;
  const answer = execFileSync('dpkg-query', ['--show', format, name], { encoding: 'utf8' });
  return answer.slice(0, answer.indexOf('\n'));
}

function debian(): { id: string; release: string } {
  const text = readFileSync('/etc/os-release', 'utf8');
  const field = (name: string): string =>
    new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(text)?.[1] ?? 'unknown';
  return { id: field('ID'), release: field('VERSION_ID') };
}
