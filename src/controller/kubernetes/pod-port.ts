import { Duplex, PassThrough, Writable } from 'node:stream';
import { type KubeConfig, PortForward } from '@kubernetes/client-node';

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** The way to a pod's port could not be had. `status`: what the API server answered instead, if it did. */
export class PodPortError extends Error {
  readonly status: number | undefined;

  constructor({ namespace, pod, port }: PodPort, why: string, status?: number) {
    super(`port ${port} of pod ${namespace}/${pod}: ${why}`);
    this.name = 'PodPortError';
    this.status = status;
  }
}

const OPENING_MILLISECONDS = 10_000;

/**
 * A byte stream to a port in a pod's network namespace, loopback too, through the API server and the kubelet: nothing is
 * opened to others for it. Rejects with PodPortError. A port on which nobody listens ends the stream with one.
 */
export async function openPodPort(config: KubeConfig, place: PodPort): Promise<Duplex> {
  const toPod = new PassThrough();
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => void toPod.write(chunk, done),
  });
  // The client takes no notice of who reads slowly; what is asked for here is bounded by its reader.
  const fromPod = writable((bytes) => void stream.push(bytes));
  const errors = writable((bytes) => {
    const why = bytes.toString('utf8').trim();
    if (why !== '') stream.destroy(new PodPortError(place, why));
  });
  const { namespace, pod, port } = place;
  const names = [namespace, pod].map(encodeURIComponent) as [string, string];
  const opening = new PortForward(config).portForward(...names, [port], fromPod, errors, toPod);
  const socket = await inTime(opening, place);
  // Without this the reader of an answer that was cut off would wait for its rest for ever.
  socket.addEventListener('close', () => void stream.push(null));
  socket.addEventListener(
    'error',
    () => void stream.destroy(new PodPortError(place, 'the connection was lost')),
  );
  stream.once('close', () => socket.close());
  return stream;
}

function writable(take: (bytes: Buffer) => void): Writable {
  return new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      take(bytes);
      done();
    },
  });
}

async function inTime(
  opening: ReturnType<PortForward['portForward']>,
  place: PodPort,
): Promise<Exclude<Awaited<typeof opening>, () => unknown>> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new PodPortError(place, `no answer in ${OPENING_MILLISECONDS / 1_000} s`)),
    OPENING_MILLISECONDS,
  );
  try {
    const socket = await Promise.race([opening, late.promise]);
    if (typeof socket === 'function') throw new PodPortError(place, 'it wants to be opened again and again');
    return socket;
  } catch (error) {
    // Who gave up must not leave a socket behind.
    opening.then((socket) => typeof socket === 'function' || socket.close()).catch(() => undefined);
    if (error instanceof PodPortError) throw error;
    const said = (error as { message?: unknown } | undefined)?.message;
    const why = typeof said === 'string' && said !== '' ? said : String(error);
    const [, status] = /Unexpected server response: ([0-9]{3})/.exec(why) ?? [];
    throw new PodPortError(place, why, status === undefined ? undefined : Number(status));
  } finally {
    clearTimeout(timer);
  }
}
