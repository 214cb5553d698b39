import { TlsError } from '#handshake';
import type { WorkloadCredential } from '#identity/workload';
import type { CheckedConfig } from './config.ts';
import { SIDECAR_REASONS } from './reason.ts';

/**
 * The credential of this moment, for one connection. Throws TlsError `no-credential`, `credential-expired` or
 * `credential-mismatch`: the connection then fails here, where the cause is, and never goes on without TLS.
 */
export function usableCredential({ credentials, clock, identity }: CheckedConfig): WorkloadCredential {
  const held = credentials.value;
  if (held === undefined) throw new TlsError(SIDECAR_REASONS['no-credential'], identity.toString());
  if (held.spiffeId.toString() !== identity.toString()) {
    const detail = `it names ${held.spiffeId.toString()}, this sidecar speaks for ${identity.toString()}`;
    throw new TlsError(SIDECAR_REASONS['credential-mismatch'], detail);
  }
  if (held.notAfter <= clock.now()) {
    const detail = `serial ${held.serial} ended at ${new Date(held.notAfter).toISOString()}`;
    throw new TlsError(SIDECAR_REASONS['credential-expired'], detail);
  }
  return held;
}

/** The one protocol of mesh connections. */
export const MESH_PROTOCOL = 'sallyport/1';

/** What a mesh client sends as server_name: it says which port is meant and no identity. */
export function meshServerName(port: number, trustDomain: string): string {
  return `p${port}.${trustDomain}`;
}
