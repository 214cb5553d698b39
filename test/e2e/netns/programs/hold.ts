/** `hold.ts HOST PORT` connects, says from which port, and stays although the other side ends. */
import { connect } from 'node:net';

const [host = '', port = ''] = process.argv.slice(2);
const socket = connect({ host, port: Number(port), allowHalfOpen: true }, () => {
  console.log(`from ${socket.localPort}`);
});
socket.resume();
setInterval(() => undefined, 60_000);
