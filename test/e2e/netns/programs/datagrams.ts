/** `datagrams.ts echo|ask HOST PORT`: sends back what comes, or asks once and says who answered or what went wrong. */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

const [role = '', host = '', port = ''] = process.argv.slice(2);
const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
if (role === 'echo') {
  socket.on('message', (message, from) => socket.send(message, from.port, from.address));
  socket.bind(Number(port), host, () => console.log('bound'));
} else {
  socket.on('error', (error: NodeJS.ErrnoException) => console.log(error.code));
  socket.on('message', (_message, from) => {
    console.log(`answer from ${from.address} ${from.port}`);
    socket.close();
  });
  // Connected, so that ICMP errors come to it.
  socket.connect(Number(port), host, () => socket.send('question'));
}
