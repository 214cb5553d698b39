/**
 * A server that ends as good servers do, and says who it is.
 *
 *   8080  HTTP/1.1: {"name"}
 *   8081  HTTP/2 (prior knowledge): a stream echoes messages, each with its length before it, as gRPC's
 *   8082  TCP: echoes
 *
 * At SIGTERM it goes on for a while, since callers learn of it later than it does: HTTP/1.1 says `connection: close`,
 * HTTP/2 sends GOAWAY and a message that asks the caller to end the stream. It is gone when no connection is left.
 */
import { createServer as createHttp } from 'node:http';
import { createServer as createHttp2, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTcp } from 'node:net';
import { hostname } from 'node:os';
import { frame, Frames } from './frames.ts';

const LATE_CALLERS_MILLISECONDS = 5_000;
const name = process.env.NAME ?? hostname();
let leaving = false;

const http = createHttp({ keepAliveTimeout: 60_000 }, (_, response) => {
  if (leaving) response.setHeader('connection', 'close');
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ name }));
}).listen(8080, '::');

const sessions = new Set<ServerHttp2Session>();
const streams = new Set<ServerHttp2Stream>();
const http2 = createHttp2();
http2.on('session', (session) => {
  sessions.add(session);
  session.on('error', () => undefined).on('close', () => sessions.delete(session));
});
http2.on('stream', (stream: ServerHttp2Stream) => {
  streams.add(stream);
  stream.on('error', () => undefined).on('close', () => streams.delete(stream));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  const frames = new Frames();
  stream.write(frame(`name ${name}`));
  if (leaving) stream.write(frame('leaving'));
  stream.on('data', (chunk: Buffer) => {
    for (const message of frames.read(chunk)) stream.write(frame(message));
  });
  stream.on('end', () => stream.end());
});
http2.listen(8081, '::');

const tcp = createTcp((socket) => {
  socket.on('error', () => undefined).pipe(socket);
}).listen(8082, '::');

process.on('SIGTERM', () => {
  leaving = true;
  for (const stream of streams) stream.write(frame('leaving'));
  for (const session of sessions) session.close();
  setTimeout(() => {
    const closed = [http, http2, tcp].map((server) => new Promise((resolve) => server.close(resolve)));
    http.closeIdleConnections();
    void Promise.all(closed).then(() => process.exit(0));
  }, LATE_CALLERS_MILLISECONDS);
});
