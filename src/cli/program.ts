import { Command, CommanderError, Option } from 'commander';
import type { CaptureSettings } from '#sidecar/intercept';
import manifest from '../../package.json' with { type: 'json' };
import { duration, type Finish, portNumber } from './arguments.ts';
import { type ProviderName, PROVIDERS } from './crypto-provider.ts';
import { addMeshCommands } from './mesh-program.ts';
import { UsageError } from './usage-error.ts';

/** Runs one command line. Resolves with the exit code; never rejects. */
export async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  let code = EXIT.ok;
  const program = build(env, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return await explain(error, env);
  }
}

/** What the exit code of every command means. */
const EXIT = { ok: 0, failed: 1, usage: 2 };

function build(env: NodeJS.ProcessEnv, finish: Finish): Command {
  const program = new Command('sallyport')
    .description('Mutual TLS 1.3 between services, with certificates, policy and a trace of every handshake.')
    .version(manifest.version)
    .exitOverride()
    .showHelpAfterError('(run with --help for how it is used)')
    .addHelpText('afterAll', EPILOGUE);
  addUp(program, env, finish);
  addMeshCommands(program, env, finish);
  addInit(program, env, finish);
  addSidecar(program, env, finish);
  addController(program, env, finish);
  addInject(program, finish);
  addDrain(program, finish);
  return program;
}

const EPILOGUE = `
Exit codes:
    0  it went well
    1  the mesh or its traffic failed, or a policy has mistakes
    2  wrong use or wrong configuration
  130  ended at once by a second Ctrl-C, nothing finished

SALLYPORT_DEBUG=1 shows the stack of an error.`;

/** Each command is loaded when it is called, so that --help does not wait for all of them. */
function addUp(program: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  program
    .command('up')
    .description('run a mesh of local services on this machine')
    .option('-f, --file <path>', 'the mesh to run', 'mesh.yaml')
    .option('--for <duration>', 'end so long after the sidecars stand, with a summary', duration)
    .option('--plain', 'write lines instead of redrawing the terminal')
    .addOption(cryptoOption())
    .action(async (options: { file: string; for?: number; plain?: true; crypto: ProviderName }) => {
      const { up } = await import('./commands/up.ts');
      const { file, for: forMilliseconds, plain, crypto } = options;
      finish(await up({ file, forMilliseconds, plain: plain ?? false, crypto, env }));
    });
}

function addInit(program: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  program
    .command('init')
    .description('capture the TCP traffic of this network namespace for its sidecar, and prove it')
    .option('--print', 'show the rules and change nothing')
    .option('--remove', 'take the rules away')
    .option('--filter <name>', 'nft, iptables or iptables-legacy; default: the first that works')
    .option('--uid <id>', 'the user whose connections pass: the sidecar (default: 1337)')
    .option('--inbound-port <port>', 'where captured connections from the network go (default: 15006)')
    .option('--outbound-port <port>', "where the application's captured connections go (default: 15001)")
    .option(
      '--status-port <port>',
      "the sidecar's port for metrics and probes, not captured (default: 15020)",
    )
    .option(
      '--verification-port <port>',
      "the port of the sidecar's startupProbe, always captured (default: 15021)",
    )
    .option('--exclude-inbound-ports <list>', 'not captured: ports like 80,8000-8100')
    .option('--exclude-outbound-ports <list>', 'not captured')
    .option('--exclude-outbound-networks <list>', 'not captured: networks like 10.0.0.0/8,fd00::/8')
    .option('--include-inbound-ports <list>', 'capture only these')
    .option('--include-outbound-ports <list>', 'capture only these')
    .option('--include-outbound-networks <list>', 'capture only these')
    .addHelpText('after', INIT_EPILOGUE)
    .action(async ({ print, remove, filter, ...flags }: InitFlags) => {
      const { init } = await import('./commands/init.ts');
      finish(await init({ print: print ?? false, remove: remove ?? false, filter, flags, env }));
    });
}

function addSidecar(program: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  program
    .command('sidecar')
    .description('run the sidecar of this network namespace, from mounted files (after init)')
    .option('-c, --config <path>', 'what it serves and where its files are (default: sidecar.yaml)')
    .addOption(cryptoOption())
    .addHelpText('after', SIDECAR_EPILOGUE)
    .action(async ({ config, crypto }: { config?: string; crypto: ProviderName }) => {
      const { sidecar } = await import('./commands/sidecar.ts');
      finish(await sidecar({ file: config, crypto, env }));
    });
}

function addController(program: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  program
    .command('controller')
    .description('give the pods of a cluster their certificates and tell sidecars of each other')
    .option('-c, --config <path>', 'its trust domain, lifetimes and names', 'controller.yaml')
    .addOption(cryptoOption())
    .action(async ({ config, crypto }: { config: string; crypto: ProviderName }) => {
      const { controller } = await import('./commands/controller.ts');
      finish(await controller({ file: config, crypto, env }));
    });
}

function addInject(program: Command, finish: Finish): void {
  program
    .command('inject')
    .description('write manifests with sidecars in them, as the webhook of a cluster would make the pods')
    .requiredOption(
      '-f, --file <path>',
      'Pods, Deployments, StatefulSets, DaemonSets, Jobs, CronJobs; - for standard input',
    )
    .option('-c, --config <path>', "the controller's file (default: its defaults)")
    .option('-n, --namespace <name>', "the controller's namespace", 'sallyport-system')
    .option('--service-account <name>', "the controller's ServiceAccount", 'sallyport-controller')
    .action(async (options: { file: string; config?: string; namespace: string; serviceAccount: string }) => {
      const { inject } = await import('./commands/inject.ts');
      const { file, config, namespace, serviceAccount } = options;
      finish(inject({ file, config, namespace, serviceAccount }));
    });
}

function addDrain(program: Command, finish: Finish): void {
  program
    .command('drain')
    .description(
      'let the sidecar of this network namespace take leave of its callers (as preStop of its container)',
    )
    .option('--admin-port <port>', 'the admin port of the sidecar', portNumber, 15_000)
    .addOption(
      new Option('--for <duration>', 'wait so long for connections from the network to end')
        .argParser(duration)
        .default(25_000, '25s'),
    )
    .addHelpText('after', DRAIN_EPILOGUE)
    .action(async (options: { adminPort: number; for: number }) => {
      const { drain } = await import('./commands/drain.ts');
      finish(await drain({ adminPort: options.adminPort, forMilliseconds: options.for }));
    });
}

function cryptoOption(): Option {
  return new Option(
    '--crypto <provider>',
    'the cryptography of TLS: libcrypto directly, Node on top of it, or noble, slow and not constant-time',
  )
    .choices(PROVIDERS)
    .default(PROVIDERS[0]);
}

interface InitFlags extends Partial<Record<keyof CaptureSettings, string>> {
  readonly print?: true;
  readonly remove?: true;
  readonly filter?: string;
}

const SIDECAR_EPILOGUE = `
Without -c, SALLYPORT_CONFIG of the environment may hold the text of the file instead.

It ends with 0 after SIGTERM, when callers had up to 25 s to go; with 1 when a part of it failed; with 2 for a mistake in
its files. Without a certificate it runs, is not ready and lets nothing pass; its log says what is wrong with the files.`;

const DRAIN_EPILOGUE = `
It ends with 0 when no connection is left or the time is over, and with 2 when no sidecar answers on the admin port.`;

const INIT_EPILOGUE = `
Each value can also come from the environment: SALLYPORT_EXCLUDE_INBOUND_PORTS and so on. A flag outweighs it.

If the proof fails, the rules stay loaded and the exit code is 1: without a sidecar that takes it, no captured traffic
passes in or out. Run it again when the cause is mended, or take the rules away with --remove.`;

/** One plain paragraph, in which nothing that others wrote reaches the terminal as a command. Commander has written its own already. */
async function explain(error: unknown, env: NodeJS.ProcessEnv): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { printableLines } = await import('./view/printable.ts');
  const known = error instanceof UsageError;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${printableLines(message)}\n`);
  if (env.SALLYPORT_DEBUG && error instanceof Error)
    process.stderr.write(`${printableLines(error.stack ?? '')}\n`);
  else if (!known) process.stderr.write('Run again with SALLYPORT_DEBUG=1 to see where this happened.\n');
  return known ? EXIT.usage : EXIT.failed;
}
