import net from 'node:net';
import { onTestFinished } from 'vitest';
import { listen } from './engine.ts';

/** A network in user space: what one side sends reaches the other `milliseconds` later, in order, end of stream too. */
export async function delayed(to: number, milliseconds: number): Promise<number> {
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = net.connect({ port: to, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    carry(near, far, milliseconds);
    carry(far, near, milliseconds);
    onTestFinished(() => void far.destroy());
  });
  return listen(server);
}

/** Timers of one length fire in the order in which they were set. */
function carry(from: net.Socket, to: net.Socket, milliseconds: number): void {
  from.on('data', (chunk) => void setTimeout(() => to.write(chunk), milliseconds));
  from.on('end', () => void setTimeout(() => to.end(), milliseconds));
  from.on('error', () => to.destroy());
}
