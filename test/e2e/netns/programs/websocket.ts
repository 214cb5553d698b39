/** `websocket.ts serve PORT` sends back every message; `websocket.ts ask HOST PORT` sends three and prints what comes. */
import { WebSocketServer } from 'ws';

const [role = '', ...rest] = process.argv.slice(2);
if (role === 'serve') {
  const server = new WebSocketServer({ host: '::', port: Number(rest[0]) }, () => console.log('listening'));
  server.on('connection', (socket) =>
    socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`)),
  );
} else {
  const socket = new WebSocket(`ws://${rest[0]}:${rest[1]}/`);
  let answers = 0;
  socket.addEventListener('open', () => {
    for (const word of ['one', 'two', 'three']) socket.send(word);
  });
  socket.addEventListener('message', ({ data }) => {
    console.log(String(data));
    answers += 1;
    if (answers === 3) socket.close();
  });
  socket.addEventListener('error', () => console.log('failed'));
}
