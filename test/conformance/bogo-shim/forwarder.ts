import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { equal } from '#runtime';
import { type Outcome, playCase, UNIMPLEMENTED } from './case.ts';

/**
 * The runner starts its shim thousands of times, and a Node process takes longer to start than a case to play. So what
 * it starts is a few lines of shell, which send the arguments here and end as the case ended.
 */
export class Forwarder {
  /** Why a case is unimplemented, by the place of its transcript: the runner keeps no reason for code 89. */
  readonly reasons = new Map<string, string>();
  readonly #token = randomBytes(16).toString('hex');
  readonly #server: Server;

  constructor() {
    this.#server = createServer((socket) => void this.#serve(socket));
  }

  /** Listens on the loopback, and writes the program that the runner may start. */
  async start(file: string): Promise<void> {
    await new Promise<void>((listening) => {
      this.#server.listen(0, '127.0.0.1', listening);
    });
    const { port } = this.#server.address() as AddressInfo;
    writeFileSync(file, script(port, this.#token), { mode: 0o700 });
  }

  stop(): void {
    this.#server.close();
  }

  async #serve(socket: Socket): Promise<void> {
    try {
      const [token = '', ...argv] = await readArguments(socket);
      const allowed = equal(Buffer.from(token), Buffer.from(this.#token));
      const outcome = allowed ? await playCase(argv) : { code: 1, text: 'the token is wrong' };
      if (outcome.code === UNIMPLEMENTED) this.#note(argv, outcome);
      socket.end(`${outcome.code}\0${outcome.text}\0`);
    } catch {
      // The runner gave the case up and ended its shim.
      socket.destroy();
    }
  }

  #note(argv: readonly string[], { text }: Outcome): void {
    const transcript = argv[argv.indexOf('-write-settings') + 1];
    if (argv.includes('-write-settings') && transcript !== undefined) this.reasons.set(transcript, text);
  }
}

function script(port: number, token: string): string {
  return [
    '#!/usr/bin/env bash',
    'if [ "$1" = -is-handshaker-supported ]; then echo No; exit 0; fi',
    'LC_ALL=C IFS=',
    `exec 3<>/dev/tcp/127.0.0.1/${port}`,
    `printf '%s\\0' "$#" ${token} "$@" >&3`,
    "read -r -d '' code <&3",
    "read -r -d '' text <&3",
    'if [ -n "$text" ]; then printf \'%s\\n\' "$text" >&2; fi',
    'exit "$code"',
    '',
  ].join('\n');
}

/** How many, then a token and so many arguments, each ended by a zero byte. A byte is a character: not all are UTF-8. */
async function readArguments(socket: Socket): Promise<string[]> {
  let text = '';
  for await (const bytes of socket.iterator({ destroyOnReturn: false })) {
    text += (bytes as Buffer).toString('latin1');
    const parts = text.split('\0');
    if (parts.length > 1 && parts.length - 3 >= Number(parts[0])) return parts.slice(1, -1);
  }
  throw new Error('the arguments did not come whole');
}
