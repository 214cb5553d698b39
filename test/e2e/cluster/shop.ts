import { expect } from 'vitest';
import { eventually } from './command.ts';
import { type AllowedCall, type DestinationRow, FileMesh } from './mesh.ts';
import { applicationContainer, type Namespace, service } from './namespace.ts';

/** The only container of most pods: serves port 8080. */
export const APPLICATION = [applicationContainer('application', ['serve', '8080'])];

/** How fetch ends when the other side refuses: by whom is for the sidecars' logs. */
export const NO_ANSWER = /ECONNRESET|ECONNREFUSED|other side closed|UND_ERR_SOCKET/;

/** A mesh with a Service, also headless, for `server`, and the cluster's own Services as they are. */
export async function shopMesh(
  namespace: Namespace,
  accounts: readonly string[],
  allow: readonly AllowedCall[],
): Promise<FileMesh> {
  const mesh = new FileMesh(namespace);
  await mesh.accounts(...accounts);
  const destinations: DestinationRow[] = [];
  if (accounts.includes('server')) {
    const identities = [mesh.identity('server')];
    await namespace.apply(
      service('server', 8080),
      service('headless', 8080, { clusterIP: 'None', selector: { app: 'server' } }),
    );
    destinations.push(
      { service: 'server', networks: (await clusterAddresses(namespace, 'server')).map(host), identities },
      // By pod IP: whichever it is, only the server's certificate will do.
      { networks: ['10.244.0.0/16', 'fd00:10:244::/48'], ports: [8080], identities },
    );
  }
  const outside = (await clusterAddresses(namespace, 'outside').catch(() => [])).map(host);
  const services = await Promise.all([
    clusterAddresses(namespace, 'kubernetes', 'default'),
    clusterAddresses(namespace, 'kube-dns', 'kube-system'),
  ]);
  destinations.push({ networks: [...services.flat().map(host), ...outside], unmeshed: true });
  await mesh.files({ allow, destinations });
  return mesh;
}

export async function clusterAddresses(
  namespace: Namespace,
  name: string,
  other?: string,
): Promise<string[]> {
  const elsewhere = other === undefined ? [] : ['--namespace', other];
  const path = 'jsonpath={.spec.clusterIPs[*]}';
  const text = await namespace.kubectl(['get', 'service', name, ...elsewhere, '--output', path]);
  return text.split(' ');
}

function host(address: string): string {
  return address.includes(':') ? `${address}/128` : `${address}/32`;
}

export async function get(namespace: Namespace, from: string, to: string): Promise<unknown> {
  return JSON.parse(await app(namespace, from, 'get', `http://${to.includes(':') ? `[${to}]` : to}:8080/`));
}

/**
 * Waits until `name` answers: that a pod is ready is known sooner than every node has its Service's rules, and much sooner
 * after an outage of the API server.
 */
export async function reach(namespace: Namespace, from: string, to: string, name: unknown): Promise<void> {
  await eventually(async () => expect(await get(namespace, from, to), to).toMatchObject({ name }));
}

export function app(namespace: Namespace, from: string, ...args: readonly string[]): Promise<string> {
  return namespace.exec(from, ['node', '/app/app.ts', ...args], 'application');
}
