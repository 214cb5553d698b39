import type { Socket } from 'node:net';

/**
 * The one place that looks behind Node's interface: a Socket keeps its libuv handle in `_handle`, whose `fd` is the
 * descriptor. Anything but a descriptor (a closed socket, another Node) is undefined and ends in a refusal.
 */
export function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = '_handle' in socket ? socket._handle : undefined;
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return undefined;
  return typeof handle.fd === 'number' && Number.isInteger(handle.fd) && handle.fd >= 0
    ? handle.fd
    : undefined;
}
