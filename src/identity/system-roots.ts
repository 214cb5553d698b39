import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '#runtime';
import { createWebRoots, type WebRoots } from './path/web-roots.ts';
import { decodeCertificates } from './x509/pem.ts';

export interface SystemRoots extends WebRoots {
  /** The file that they came from. */
  readonly source: string;
}

/** Where distributions keep the bundle of Mozilla's program: Debian and Alpine, Fedora and Red Hat, openSUSE, OpenBSD. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * The public roots that this system trusts, from the first bundle that is there. None is shipped: whom to trust is for
 * the system's owner to say. The error names what was tried.
 */
export function readSystemRoots(bundles: readonly string[] = BUNDLES): Result<SystemRoots, string> {
  for (const source of bundles) {
    const text = readText(source);
    if (text === undefined) continue;
    const ders = decodeCertificates(text);
    if (!ders.ok) return err(`${source}: ${ders.error}`);
    const roots = createWebRoots(ders.value);
    if (roots.index.certificates.length === 0) return err(`${source}: none of its certificates can be read`);
    return ok(Object.freeze({ ...roots, source }));
  }
  return err(`no bundle of public roots is here; install ca-certificates (looked for ${bundles.join(', ')})`);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
