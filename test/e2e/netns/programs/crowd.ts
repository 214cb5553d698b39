/** `crowd.ts HOST PORT COUNT` keeps so many connections open that say nothing, and makes a new one for each that ends. */
import { connect } from 'node:net';

const [host = '', port = '', count = ''] = process.argv.slice(2);
let opened = 0;
function open(): void {
  const socket = connect({ host, port: Number(port) }, () => {
    opened += 1;
    if (opened === Number(count)) console.log('there');
  });
  socket.on('error', () => undefined).on('close', () => setTimeout(open, 20));
}
for (let index = 0; index < Number(count); index += 1) open();
