/**
 * `listen.ts PORT...` accepts on each port, of both families, and tells every caller where it came out and where it was
 * going: `15006 was 10.77.0.2:80`, or the reason's code where that can't be told.
 */
import { createServer } from 'node:net';
import { openSocketCalls } from '#sidecar/intercept';

const opened = await openSocketCalls();
if (!opened.ok) throw new Error(opened.error.detail);
const { originalDestination } = opened.value;

const ports = process.argv.slice(2).map(Number);
for (const port of ports) {
  const server = createServer((socket) => {
    const found = originalDestination(socket);
    const was = found.ok ? `${found.value.host} ${found.value.port}` : found.error.reason.code;
    socket.on('error', () => undefined);
    socket.end(`${port} was ${was}\n`);
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen({ port, host: '::' }, resolve));
}
console.log('listening');
