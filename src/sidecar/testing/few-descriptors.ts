/**
 * A program of its own, since the limit of open files belongs to a process: a listener whose connections go on to the
 * port given as argument, started under a low `ulimit -n`. Prints its port, then the reason of each that fails.
 */
import { Scope, sleep, systemClock } from '#runtime';
import { connect } from '../forward/connect.ts';
import { failureOf } from '../forward/end.ts';
import { Listener } from '../listen/listener.ts';
import { SIDECAR_REASONS } from '../reason.ts';

const scope = new Scope('few descriptors', (error) => console.log('failed', error));
const keepAliveMilliseconds = 60_000;
const listener = await Listener.open(scope, {
  name: 'test',
  endpoint: { host: '127.0.0.1', port: 0 },
  keepAliveMilliseconds,
  onSocket: (socket) =>
    scope.run(async () => {
      // As in a sidecar, the first bytes come before the dialling: by then others have been accepted.
      await sleep(systemClock, 50, scope.signal);
      try {
        const options = {
          clock: systemClock,
          timeoutMilliseconds: 1_000,
          keepAliveMilliseconds,
          signal: scope.signal,
        };
        const far = await connect({ host: '127.0.0.1', port: Number(process.argv[2]) }, options);
        socket.pipe(far).pipe(socket);
        socket.on('close', () => far.destroy());
      } catch (error) {
        console.log(failureOf(error, SIDECAR_REASONS['internal-error']).code);
        socket.destroy();
      }
    }),
  onAcceptError: (error) => console.log(error.code),
});
console.log(listener.bound.port);
