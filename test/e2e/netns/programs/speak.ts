/**
 * `speak.ts HOST PORT GREETING` serves: says the greeting to whoever connects, if it is not empty, then sends back what
 * comes.
 */
import { createServer } from 'node:net';

const [host = '', port = '', greeting = ''] = process.argv.slice(2);
const server = createServer((socket) => {
  socket.on('error', () => undefined);
  if (greeting !== '') socket.write(`${greeting}\n`);
  socket.pipe(socket);
});
server.listen({ host, port: Number(port) }, () => console.log('listening'));
