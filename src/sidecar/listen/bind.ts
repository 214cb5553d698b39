import type { Server } from 'node:net';
import { type Endpoint, formatEndpoint } from './endpoint.ts';
import { portHolder } from './port-holder.ts';

/** Names who wanted to listen where, why it failed and, where it can be told, who holds the port. */
export class BindError extends Error {
  readonly endpoints: readonly Endpoint[];

  constructor(message: string, endpoints: readonly Endpoint[], cause: unknown) {
    super(message, { cause });
    this.name = 'BindError';
    this.endpoints = endpoints;
  }
}

/** Binds and returns the address with the port that was picked for port 0. Throws BindError. */
export async function bind(server: Server, name: string, endpoint: Endpoint): Promise<Endpoint> {
  try {
    await listen(server, endpoint);
  } catch (error) {
    const why = await explain(error as NodeJS.ErrnoException, endpoint);
    throw new BindError(`${name} cannot listen on ${formatEndpoint(endpoint)}: ${why}`, [endpoint], error);
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP listener has no port');
  return { host: endpoint.host, port: address.port };
}

/** What all of `binding` bound, or one BindError for every port that can't be had. */
export async function everyBound<T>(binding: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(binding);
  const errors = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const bindErrors = errors.filter((error) => error instanceof BindError);
  if (bindErrors.length < errors.length) throw errors.find((error) => !(error instanceof BindError));
  if (bindErrors.length > 0) {
    const message = bindErrors.map((error) => error.message).join('; ');
    const endpoints = bindErrors.flatMap((error) => error.endpoints);
    throw new BindError(message, endpoints, bindErrors);
  }
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

function listen(server: Server, { host, port }: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function explain(error: NodeJS.ErrnoException, { host, port }: Endpoint): Promise<string> {
  if (error.code === 'EADDRINUSE') {
    const holder = await portHolder(port);
    return `${holder ?? 'another process'} listens there already; stop it or choose another port`;
  }
  if (error.code === 'EACCES') return 'this user may not bind it; choose a port above 1023';
  if (error.code === 'EADDRNOTAVAIL') return `${host} is no address of this machine`;
  if (error.code === 'ENOTFOUND') return `${host} is no name that can be looked up`;
  return error.message;
}
