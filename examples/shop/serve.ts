import { createServer } from 'node:http';
import type { Answer } from './call.ts';

/** Answers to GET by path. The port comes from the environment, as `sallyport up` gives it. */
export function serve(name: string, pages: Readonly<Record<string, () => Promise<Answer>>>): void {
  const port = Number(process.env.PORT);
  const server = createServer((request, response) => {
    const page = pages[request.url ?? ''];
    const found = request.method === 'GET' ? page : undefined;
    const answer = found?.() ?? Promise.resolve({ status: 404, body: { error: 'no such page' } });
    void answer.then(({ status, body }) => {
      const isPage = typeof body === 'string';
      response.writeHead(status, {
        'content-type': isPage ? 'text/html; charset=utf-8' : 'application/json',
      });
      response.end(isPage ? body : `${JSON.stringify(body)}\n`);
    });
  });
  // Longer than any caller keeps an idle connection, so that a request never meets one that is being closed.
  server.keepAliveTimeout = 75_000;
  server.listen(port, '127.0.0.1', () => console.log(`${name} listens on 127.0.0.1:${port}`));
  process.once('SIGTERM', () => {
    server.close();
    server.closeIdleConnections();
  });
}
