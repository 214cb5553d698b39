import { type Command, Option } from 'commander';
import { duration, type Finish, wholeNumber } from './arguments.ts';
import type { InstallChoices } from './install/manifests.ts';
import type { WorldChoice } from './world.ts';

/** The commands that look at a mesh that runs, here or in a cluster, or bring one into a cluster. */
export function addMeshCommands(program: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  addStatus(program, env, finish);
  addHandshakes(program, env, finish);
  addCerts(program, env, finish);
  addCanI(program, env, finish);
  addPolicy(program, env, finish);
  addCheck(program, env, finish);
  addInstall(program, finish);
  addUninstall(program, finish);
  addInjected(program, finish);
}

/** Of commands that know both worlds. */
interface WorldFlags extends ClusterFlags {
  readonly file?: string;
  readonly state?: string;
  readonly cluster?: true;
  readonly json?: true;
}

interface ClusterFlags {
  readonly namespace: string;
  readonly context?: string;
}

function addStatus(program: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  inWorld(program.command('status').description('show what there is of a mesh')).action(
    async (flags: WorldFlags) => {
      const { status } = await import('./commands/status.ts');
      finish(await status({ choice: worldOf(flags), json: flags.json ?? false, env }));
    },
  );
}

interface HandshakesFlags extends WorldFlags {
  readonly live?: true;
  readonly failed?: true;
  readonly waterfall?: string | true;
  readonly limit: number;
}

function addHandshakes(program: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  inWorld(
    program.command('handshakes').description('show the newest handshakes of a mesh'),
    '--namespace <name>',
  )
    .argument('[place...]', PLACES)
    .option('--live', 'go on with each new one until Ctrl-C')
    .option('--failed', 'only those that failed or were refused')
    .option('--waterfall [trace]', 'both sides of one handshake on one time axis; default: the newest')
    .option('-n, --limit <number>', 'how many', wholeNumber, 20)
    .action(async (places: string[], flags: HandshakesFlags) => {
      const { handshakes } = await import('./commands/handshakes.ts');
      const { json = false, live = false, failed = false, waterfall, limit } = flags;
      finish(await handshakes({ choice: worldOf(flags, places), json, live, failed, waterfall, limit, env }));
    });
}

const PLACES = 'in a cluster: NAMESPACE, or NAMESPACE/NAME of a pod or workload';

interface RevokeFlags extends ClusterFlags {
  readonly secret: string;
  readonly pod?: string;
  readonly serviceAccount?: string;
  readonly serial?: string;
  readonly restore?: boolean;
}

function addCerts(program: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  const command = inWorld(program.command('certs').description('show the certificates of a mesh'))
    .argument('[place...]', PLACES)
    .action(async (places: string[], flags: WorldFlags) => {
      const { certs } = await import('./commands/certs.ts');
      finish(await certs({ choice: worldOf(flags, places), json: flags.json ?? false, env }));
    });
  withSecret(command.command('revoke').description('in a cluster: issue no more certificates for something'))
    .option('--pod <uid>', 'a pod, by its UID')
    .option('--service-account <namespace/name>', 'all pods of a ServiceAccount')
    .option('--serial <hex>', 'whoever shows this certificate')
    .option('--restore', 'take the revocation back')
    .action(async (_: unknown, own: Command) => {
      const { revoke } = await import('./commands/revoke.ts');
      const flags = own.optsWithGlobals<RevokeFlags>();
      const { pod, serial, serviceAccount, restore = false, namespace, secret, context } = flags;
      finish(await revoke({ namespace, secret, context, pod, serial, serviceAccount, restore }));
    });
  withSecret(command.command('revoked').description('in a cluster: show what is revoked')).action(
    async (_: unknown, own: Command) => {
      const { revoked } = await import('./commands/revoke.ts');
      const { namespace, secret, context } = own.optsWithGlobals<RevokeFlags>();
      finish(await revoked({ namespace, secret, context }));
    },
  );
}

function withSecret(command: Command): Command {
  return inCluster(command).option('--secret <name>', 'where revocations are kept', 'sallyport-revocations');
}

function addCanI(program: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  whoWhom(program.command('can-i').description('say whether policy lets one workload call another'))
    .addHelpText('after', CAN_I_EPILOGUE)
    .action(async (from: string, to: string, flags: WorldFlags) => {
      const { canI } = await import('./commands/can-i.ts');
      const json = flags.json ?? false;
      finish(await canI({ choice: worldOf(flags), from, to, explain: false, json, env }));
    });
}

function addPolicy(program: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  const policy = program.command('policy').description('work with policies');
  inCluster(policy.command('validate').description('check policies and say every mistake with its line'))
    .argument('[path...]', 'files or folders; default: the policies of ./mesh.yaml')
    .option('--trust-domain <name>', 'of the mesh that the files are for')
    .option('--cluster', 'those that a cluster has taken, instead of files')
    .action(async (paths: string[], flags: ClusterFlags & { trustDomain?: string; cluster?: true }) => {
      const { validatePolicies } = await import('./commands/policy-validate.ts');
      const { trustDomain, namespace, context } = flags;
      const cluster = flags.cluster || context !== undefined ? { namespace, context } : undefined;
      finish(await validatePolicies({ paths, trustDomain, cluster }));
    });
  whoWhom(policy.command('explain').description('say which rule decides a call, and what to edit'))
    .addHelpText('after', CAN_I_EPILOGUE)
    .action(async (from: string, to: string, flags: WorldFlags) => {
      const { canI } = await import('./commands/can-i.ts');
      const json = flags.json ?? false;
      finish(await canI({ choice: worldOf(flags), from, to, explain: true, json, env }));
    });
}

function whoWhom(command: Command): Command {
  return inWorld(command)
    .argument(
      '<from>',
      'who calls: a service of mesh.yaml; in a cluster NAMESPACE/NAME, a SPIFFE ID, or plaintext',
    )
    .argument('<to>', 'whom: a service; in a cluster NAMESPACE/NAME or NAMESPACE/NAME:PORT');
}

const CAN_I_EPILOGUE = `
It ends with 0 for yes and 1 for no. In a cluster a NAME is that of a pod, a workload, a Service (called) or a ServiceAccount
(caller).`;

function addCheck(program: Command, env: NodeJS.ProcessEnv, finish: Finish): void {
  inCluster(program.command('check').description('in a cluster: say whether the mesh is as it should be'))
    .option('--pre', 'whether one can be installed')
    .option('--json', 'JSON instead of lines')
    .action(async (flags: ClusterFlags & { pre?: true; json?: true }) => {
      const { check } = await import('./commands/check.ts');
      const { namespace, context, pre = false, json = false } = flags;
      finish(await check({ choice: { namespace, context }, pre, json, env }));
    });
}

interface InstallFlags extends ClusterFlags {
  readonly image?: string;
  readonly trustDomain?: string;
  readonly policyDefault?: InstallChoices['policyDefault'];
  readonly tlsMode?: InstallChoices['tlsMode'];
  readonly print?: true;
  readonly for: number;
}

function addInstall(program: Command, finish: Finish): void {
  inCluster(
    program.command('install').description('in a cluster: install the mesh, or bring it to this version'),
  )
    .option('--image <name>', 'of the controller and of sidecars')
    .option(
      '--trust-domain <name>',
      "whose identities these are; it can't be changed later (default: cluster.local)",
    )
    .addOption(
      new Option('--policy-default <what>', 'where no policy selects a workload').choices(['Allow', 'Deny']),
    )
    .addOption(
      new Option('--tls-mode <mode>', 'where no MeshTLS says otherwise').choices([
        'Strict',
        'Permissive',
        'Disabled',
      ]),
    )
    .option('--print', 'write the manifests and change nothing')
    .addOption(patience())
    .addHelpText('after', INSTALL_EPILOGUE)
    .action(async (flags: InstallFlags) => {
      const { install } = await import('./commands/install.ts');
      const { namespace, context, image, trustDomain, policyDefault, tlsMode, print = false } = flags;
      const choices = { image, trustDomain, policyDefault, tlsMode };
      finish(await install({ choice: { namespace, context }, choices, print, forMilliseconds: flags.for }));
    });
}

const INSTALL_EPILOGUE = `
It applies the manifests of deploy/k8s, with what is said here; for everything else there is the Helm chart. A mesh that Helm
installed is left to Helm. It ends with 0 when pods can be meshed, with 1 when they can't after the time.`;

function addUninstall(program: Command, finish: Finish): void {
  inCluster(
    program.command('uninstall').description('in a cluster: take away what install made, with its CA'),
  )
    .option('--force', 'also while pods have sidecars, which then lose their certificates')
    .option('--crds', 'all policies and their kinds too')
    .addOption(patience())
    .action(async (flags: ClusterFlags & { force?: true; crds?: true; for: number }) => {
      const { uninstall } = await import('./commands/uninstall.ts');
      const { namespace, context, force = false, crds = false } = flags;
      finish(await uninstall({ choice: { namespace, context }, force, crds, forMilliseconds: flags.for }));
    });
}

function patience(): Option {
  return new Option('--for <duration>', 'wait so long').argParser(duration).default(180_000, '3m');
}

function addInjected(program: Command, finish: Finish): void {
  inCluster(
    program
      .command('injected')
      .description("in a cluster: show the pods that have a sidecar of this controller's"),
  )
    .option('--none', 'fail if there are any')
    .action(async (flags: ClusterFlags & { none?: true }) => {
      const { injected } = await import('./commands/injected.ts');
      const { namespace, context, none = false } = flags;
      finish(await injected({ choice: { namespace, context }, none }));
    });
}

/** `handshakes` has -n for something else. */
function inCluster(command: Command, namespace = '-n, --namespace <name>'): Command {
  return command
    .option(namespace, "the controller's namespace", 'sallyport-system')
    .option('--context <name>', 'of the kubeconfig; default: the current one');
}

function inWorld(command: Command, namespace?: string): Command {
  return inCluster(
    command
      .option(
        '-f, --file <path>',
        'on this machine: the mesh file; default: ./mesh.yaml, else the newest mesh',
      )
      .option('--state <folder>', 'on this machine: the state folder of the mesh')
      .option('--cluster', 'in the cluster of the kubeconfig, even if a mesh runs on this machine'),
    namespace,
  ).option('--json', 'JSON instead of a table');
}

function worldOf(flags: WorldFlags, places: readonly string[] = []): WorldChoice {
  const { file, state, cluster = false, context, namespace } = flags;
  return { file, state, cluster, context, namespace, places };
}
