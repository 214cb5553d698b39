/**
 * `probed.ts` serves what probes ask for, on the address of the pod only: HTTP on 8080 (`/live` is well, `/dead` is not,
 * `/moved` leads to `/live`), and accepts on 5432. Says each request.
 */
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';

const STATUSES: Readonly<Record<string, number>> = { '/live': 200, '/dead': 500, '/moved': 302 };

const server = createServer(({ url = '', headers, socket }, response) => {
  console.log(`${url} ${headers['user-agent']} ${socket.localAddress}`);
  response.writeHead(STATUSES[url] ?? 404, { location: '/live' }).end('the secret of the application');
});
server.listen(8080, '::', () =>
  createTcpServer((socket) => socket.on('error', () => undefined).end()).listen(5432, '::', () =>
    console.log('listening'),
  ),
);
