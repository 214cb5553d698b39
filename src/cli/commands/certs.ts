import { askControl } from '../control/control-client.ts';
import { findMesh, type MeshChoice } from '../control/find-mesh.ts';
import { renderCertificates } from '../view/certificate-table.ts';
import { paintFor } from '../view/paint.ts';
import { printableJson } from '../view/printable.ts';
import type { ServiceRow } from '../view/snapshot.ts';

export interface CertsOptions {
  readonly choice: MeshChoice;
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** `sallyport certs`: each service's certificate, once. */
export async function certs({ choice, json, env }: CertsOptions): Promise<number> {
  const mesh = await findMesh(choice, env);
  const services = await askControl<readonly ServiceRow[]>(mesh.socket, '/certs');
  if (json) {
    const rows = services.map(({ name, identity, certificate }) => ({
      service: name,
      identity,
      ...certificate,
    }));
    process.stdout.write(`${printableJson(rows, 2)}\n`);
    return 0;
  }
  const width = process.stdout.columns || WIDE;
  const table = renderCertificates(services, Date.now(), width, paintFor(process.stdout, env));
  process.stdout.write(`${table.join('\n')}\n`);
  return 0;
}

/** A pipe has no width; nothing is cut there. */
const WIDE = 1_000;
