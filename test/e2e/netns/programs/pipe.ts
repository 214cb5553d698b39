/** `pipe.ts HOST PORT` passes its input on and prints what comes; ends when both have ended. */
import { connect } from 'node:net';

const [host = '', port = ''] = process.argv.slice(2);
const socket = connect({ host, port: Number(port), allowHalfOpen: true });
process.stdin.pipe(socket);
socket.pipe(process.stdout);
