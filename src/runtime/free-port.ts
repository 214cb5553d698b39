import { randomInt } from 'node:crypto';
import net from 'node:net';

/**
 * A loopback port for a program that must be told one. Not one that the system picks: those are handed out again at
 * once, to whoever asks for any port or merely connects somewhere.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    if (await canListen(port)) return port;
  }
}

/** Below /proc/sys/net/ipv4/ip_local_port_range, which begins at 32768. */
const FIRST = 20_000;
const LAST = 32_768;

function canListen(port: number): Promise<boolean> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
