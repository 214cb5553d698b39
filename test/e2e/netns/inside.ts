import type { Machine, Output } from '../../support/netns.ts';

export const FILTERS = ['nft', 'iptables', 'iptables-legacy'] as const;
export type Filter = (typeof FILTERS)[number];

const PROGRAMS = 'test/e2e/netns/programs';

/** `sallyport init` on that machine. */
export function init(
  machine: Machine,
  args: readonly string[] = [],
  options: Parameters<Machine['run']>[2] = {},
): Output {
  return machine.run(process.execPath, ['src/cli/main.ts', 'init', ...args], options);
}

/** Listens on that machine and tells callers where they were going. */
export async function listen(machine: Machine, ...ports: readonly number[]): Promise<void> {
  const listener = machine.start(process.execPath, [`${PROGRAMS}/listen.ts`, ...ports.map(String)]);
  await listener.says(/listening/);
}

/** Connects as often as asked; resolves with what the other side said, or the error's code. */
export type Call = (host: string, port: number) => Promise<string>;

/** Somebody on that machine who calls others. */
export async function caller(machine: Machine, uid?: number): Promise<Call> {
  const program = machine.start(
    process.execPath,
    [`${PROGRAMS}/connect.ts`],
    uid === undefined ? {} : { uid },
  );
  await program.says(/ready/);
  let calls = 0;
  return async (host, port) => {
    calls += 1;
    const id = `call-${calls}`;
    program.write(`${id} ${host} ${port}\n`);
    const [, said = ''] = await program.says(new RegExp(`^${id} (.*)$`, 'm'));
    return said;
  };
}

/** Says something in plaintext to whoever is there; resolves with all that came back until the end. */
export async function speak(machine: Machine, host: string, port: number, uid?: number): Promise<string> {
  const args = [`${PROGRAMS}/exchange.ts`, host, `${port}`, 'GET / HTTP/1.1'];
  const program = machine.start(process.execPath, args, uid === undefined ? {} : { uid });
  await program.ended();
  return program.output.trim();
}

export function nftRules(machine: Machine): string {
  return machine.run('nft', ['--stateless', 'list', 'ruleset']).stdout;
}

/** Rules of both families without counters and comments. */
function iptablesRules(machine: Machine, flavour: 'iptables' | 'iptables-legacy'): string {
  const programs = [`${flavour}-save`, `${flavour.replace('ip', 'ip6')}-save`];
  const texts = programs.map((program) => machine.run(program, []).stdout);
  return texts
    .join('')
    .replace(/^#.*\n/gm, '')
    .replace(/\[\d+:\d+\]/g, '');
}

export function rulesOf(machine: Machine, filter: Filter): string {
  return filter === 'nft' ? nftRules(machine) : iptablesRules(machine, filter);
}
