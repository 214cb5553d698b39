import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import { Child, type ChildOptions, needs } from './child.ts';

/** Root, and the programs that make namespaces and load rules: without them a test that needs them is skipped. */
export function needsNamespaces(context: TestContext): void {
  if (process.getuid?.() !== 0) context.skip('needs root');
  for (const program of ['ip', 'nsenter', 'setpriv', 'unshare']) needs(context, program);
  const tried = spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true'], { encoding: 'utf8' });
  if (tried.status !== 0) context.skip('namespaces cannot be made here');
}

/**
 * Machines on one Ethernet, each in namespaces of its own (network, mounts, processes), dual stack, with a router that
 * is the way out for all. Gone at the end of the test; the kernel takes everything away when the test dies, since each
 * machine's first process dies with ours.
 */
export class Network {
  readonly router: Machine;
  readonly #machines: ReadonlyMap<string, Machine>;

  private constructor(router: Machine, machines: ReadonlyMap<string, Machine>) {
    this.router = router;
    this.#machines = machines;
  }

  static async create<const Names extends readonly string[]>(
    context: TestContext,
    names: Names,
  ): Promise<Network> {
    needsNamespaces(context);
    const [router, ...machines] = await Promise.all(
      ['router', ...names].map((name, index) => Machine.start(name, index)),
    );
    if (router === undefined) throw new Error('there is no router');
    router.ip(BRIDGE);
    for (const machine of machines) {
      router.ip([
        `link add ${machine.port} type veth peer name eth0 netns ${machine.pid}`,
        `link set ${machine.port} master wire up`,
      ]);
      machine.ip(addresses(machine));
    }
    for (const [path, value] of FORWARDING)
      router.run('sh', ['-c', `[ ! -e ${path} ] || echo ${value} > ${path}`]);
    return new Network(router, new Map(machines.map((machine) => [machine.name, machine])));
  }

  machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new Error(`there is no machine ${name}`);
    return machine;
  }
}

export interface Output {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface InsideOptions extends ChildOptions {
  /** User id to run as; root by default. */
  readonly uid?: number;
}

export class Machine {
  readonly name: string;
  readonly index: number;
  /** Of its first process, as this process sees it. */
  readonly pid: number;
  readonly ipv4: string;
  readonly ipv6: string;
  /** The router's interface to it: what it sends and gets can be seen there. */
  readonly port: string;

  private constructor(name: string, index: number, pid: number) {
    this.name = name;
    this.index = index;
    this.pid = pid;
    this.ipv4 = `${IPV4_PREFIX}.${index + 1}`;
    this.ipv6 = `${IPV6_PREFIX}::${(index + 1).toString(16)}`;
    this.port = `port${index}`;
  }

  static async start(name: string, index: number): Promise<Machine> {
    const holder = spawn('setpriv', ['--pdeathsig', 'KILL', ...HOLDER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(async () => {
      if (holder.exitCode !== null || holder.signalCode !== null) return;
      const gone = new Promise((resolve) => holder.once('exit', resolve));
      holder.kill('SIGKILL');
      await gone;
    });
    await new Promise((resolve, reject) => {
      holder.stdout.once('data', resolve);
      holder.once('exit', () => reject(new Error(`the namespaces of ${name} could not be made`)));
    });
    return new Machine(name, index, onlyChild(holder.pid ?? 0));
  }

  /** Starts a program here; it is gone at the end of the test. */
  start(command: string, args: readonly string[], options: InsideOptions = {}): Child {
    const child = new Inside(this.#enter(command, args, options.uid), options);
    onTestFinished(() => child.stop());
    return child;
  }

  /** Runs a program here to its end. */
  run(
    command: string,
    args: readonly string[],
    { uid, input, environment }: { uid?: number; input?: string; environment?: Record<string, string> } = {},
  ): Output {
    const [program = '', ...rest] = this.#enter(command, args, uid);
    const env = { ...process.env, ...ENVIRONMENT, ...environment };
    const ended: SpawnSyncReturns<string> = spawnSync(program, rest, {
      encoding: 'utf8',
      timeout: 30_000,
      env,
      ...(input === undefined ? {} : { input }),
    });
    if (ended.error !== undefined) throw ended.error;
    return { code: ended.status, stdout: ended.stdout, stderr: ended.stderr };
  }

  /** Lines for ip(8), which knows this machine's network and everybody's processes. */
  ip(lines: readonly string[]): void {
    const args = [`--net=/proc/${this.pid}/ns/net`, 'ip', '-batch', '-'];
    const ended = spawnSync('nsenter', args, { encoding: 'utf8', input: `${lines.join('\n')}\n` });
    if (ended.status !== 0) throw new Error(`ip in ${this.name}: ${ended.stderr}`);
  }

  #enter(command: string, args: readonly string[], uid: number | undefined): string[] {
    const ids = `${uid}`;
    const as = uid === undefined ? [] : ['setpriv', '--reuid', ids, '--regid', ids, '--clear-groups'];
    // The signal is forgotten when the user changes (prctl(2)), so it is asked for last.
    const inside = [...as, 'setpriv', '--pdeathsig', 'KILL', command, ...args];
    const target = ['--target', `${this.pid}`, '--mount', '--net', '--pid', `--wdns=${process.cwd()}`];
    return ['nsenter', ...target, '--', ...inside];
  }
}

/** nsenter waits for a process inside and passes no signals on: they go to that process. */
class Inside extends Child {
  constructor([program = '', ...args]: readonly string[], { environment, ...options }: ChildOptions) {
    super(program, args, { ...options, environment: { ...ENVIRONMENT, ...environment } });
  }

  override signal(signal: NodeJS.Signals): void {
    process.kill(onlyChild(this.pid), signal);
  }

  override async stop(): Promise<void> {
    try {
      // A program that changes its user (tcpdump does) no longer dies with its parent.
      this.signal('SIGKILL');
    } catch {
      // It ended by itself.
    }
    await super.stop();
  }
}

const IPV4_PREFIX = '10.77.0';
const IPV6_PREFIX = 'fd77';
const BRIDGE = [
  'link set lo up',
  'link add wire type bridge',
  'link set wire up',
  `address add ${IPV4_PREFIX}.1/24 dev wire`,
  `address add ${IPV6_PREFIX}::1/64 dev wire nodad`,
];
const FORWARDING = [
  ['/proc/sys/net/ipv4/ip_forward', '1'],
  ['/proc/sys/net/ipv6/conf/all/forwarding', '1'],
  // The router's rules are for what it routes; frames that only pass its bridge are none of it.
  ['/proc/sys/net/bridge/bridge-nf-call-iptables', '0'],
  ['/proc/sys/net/bridge/bridge-nf-call-ip6tables', '0'],
] as const;

function addresses({ ipv4, ipv6 }: Machine): string[] {
  return [
    'link set lo up',
    'link set eth0 up',
    `address add ${ipv4}/24 dev eth0`,
    `address add ${ipv6}/64 dev eth0 nodad`,
    `route add default via ${IPV4_PREFIX}.1`,
    `route add default via ${IPV6_PREFIX}::1`,
  ];
}

const HOLDER = [
  'unshare',
  '--net',
  '--mount',
  '--pid',
  '--fork',
  '--kill-child=KILL',
  '--mount-proc',
  'sh',
  '-c',
  'echo ready; exec sleep infinity',
];

/** What programs inside get besides our own environment. Most are Node's, dozens in a test: the cache halves their start. */
const ENVIRONMENT = {
  PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`,
  NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/node'),
};

/** proc(5), /proc/pid/task/tid/children. */
function onlyChild(pid: number): number {
  const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
  if (!(child > 0)) throw new Error(`process ${pid} has no child`);
  return child;
}
