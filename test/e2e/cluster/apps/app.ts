/**
 * The stories' application: knows nothing of Sallyport.
 *
 * serve PORT    answers every HTTP request with {"name", "from", "to"}: its host name and the connection's addresses
 * get URL       writes the answer to a GET; exit code 1 without one
 * wait          does nothing until it is told to end
 */
import { createServer } from 'node:http';
import { hostname } from 'node:os';

const GET_MILLISECONDS = 10_000;
const [command, argument = ''] = process.argv.slice(2);
process.on('SIGTERM', () => process.exit(0));

if (command === 'serve') serve(Number(argument));
else if (command === 'get') await get(argument);
else if (command === 'wait') setInterval(() => undefined, 60_000);
else throw new Error(`${command}: serve, get or wait`);

function serve(port: number): void {
  const server = createServer((request, response) => {
    const { remoteAddress, localAddress } = request.socket;
    response.setHeader('content-type', 'application/json');
    response.end(`${JSON.stringify({ name: hostname(), from: remoteAddress, to: localAddress })}\n`);
  });
  server.listen(port, '::');
}

async function get(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(GET_MILLISECONDS) });
  process.stdout.write(await response.text());
  if (!response.ok) process.exitCode = 1;
}
