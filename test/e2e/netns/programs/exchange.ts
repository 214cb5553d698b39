/** `exchange.ts HOST PORT TEXT` connects, sends the text and prints what comes, until it is stopped. */
import { connect } from 'node:net';

const [host = '', port = '', text = ''] = process.argv.slice(2);
const socket = connect({ host, port: Number(port) }, () => {
  if (text !== '') socket.write(`${text}\n`);
});
socket.setEncoding('utf8');
socket.on('data', (chunk: string) => process.stdout.write(chunk));
socket.on('end', () => process.stdout.write('end\n'));
socket.on('error', (error: NodeJS.ErrnoException) => process.stdout.write(`${error.code}\n`));
