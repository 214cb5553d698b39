import type { ServiceEntry } from '../mesh-file/mesh-file.ts';

/**
 * What a service finds in its environment: ours, without the variables that are meant for `up` itself, its PORT, for
 * each service that it calls the names that Kubernetes gives a Service (`ORDERS_SERVICE_HOST`, `ORDERS_SERVICE_PORT`)
 * and `ORDERS_URL`, and last what mesh.yaml says.
 *
 * `outbound` has the port of the sidecar for each call, by the name of the called service.
 */
export function serviceEnvironment(
  entry: ServiceEntry,
  outbound: ReadonlyMap<string, number>,
  inherited: NodeJS.ProcessEnv,
): Record<string, string | undefined> {
  const calls = [...outbound].flatMap(([service, port]): [string, string][] => {
    const name = service.toUpperCase().replaceAll('-', '_');
    return [
      [`${name}_SERVICE_HOST`, '127.0.0.1'],
      [`${name}_SERVICE_PORT`, String(port)],
      [`${name}_URL`, `http://127.0.0.1:${port}`],
    ];
  });
  const own: [string, string | undefined][] = Object.entries(inherited).filter(
    ([name]) => !name.startsWith('npm_') && !OURS.has(name),
  );
  return { ...Object.fromEntries([...own, ...calls]), PORT: String(entry.port), ...entry.env };
}

/** Set for the program that runs Sallyport, not for services. */
const OURS = new Set(['NODE_OPTIONS', 'SALLYPORT_DEBUG', 'INIT_CWD']);
