import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { jsonLog, Scope, systemClock } from '#runtime';
import { AlreadyRunning, serveControl } from '../control/control-server.ts';
import { readMeshFile } from '../control/find-mesh.ts';
import { openStateFolder, type StateFolder } from '../control/state-folder.ts';
import { noteRunning, readUpRecord, runningFolder, writeUpRecord } from '../control/up-record.ts';
import { Mesh } from '../mesh/mesh.ts';
import { MeshLogs } from '../mesh/mesh-logs.ts';
import { shownPath } from '../mesh/policies.ts';
import type { MeshFile } from '../mesh-file/mesh-file.ts';
import { parseMeshFile } from '../mesh-file/parse.ts';
import { sayProblem } from '../mesh-file/problem.ts';
import { NOBLE_WARNING, openProvider, type ProviderName } from '../crypto-provider.ts';
import { UsageError } from '../usage-error.ts';
import { runLiveScreen } from '../view/live-screen.ts';
import { runPlainLines } from '../view/plain-lines.ts';
import { paintFor } from '../view/paint.ts';
import { printableLine } from '../view/printable.ts';
import { summarise } from '../view/summary.ts';
import { wrap } from '../view/wrap.ts';
import { stopSignal } from './stop-signal.ts';

export interface UpOptions {
  readonly file: string;
  /** Undefined: until it is told to stop. */
  readonly forMilliseconds: number | undefined;
  readonly plain: boolean;
  readonly crypto: ProviderName;
  readonly env: NodeJS.ProcessEnv;
}

/** `sallyport up`: runs a mesh until Ctrl-C, SIGTERM or the given time. Resolves with the exit code. */
export async function up(options: UpOptions): Promise<number> {
  const mesh = loadMesh(options.file);
  const state = openStateFolder(mesh.state);
  const stop = stopSignal();
  // Nobody watches any more (`| head`).
  process.stdout.once('error', stop.end);
  const scope = new Scope('up', (error) => stop.fail(error));
  try {
    return await run(scope, mesh, state, options, stop);
  } finally {
    await scope.close();
    stop.dispose();
  }
}

type Stop = ReturnType<typeof stopSignal>;

async function run(
  scope: Scope,
  file: MeshFile,
  state: StateFolder,
  options: UpOptions,
  stop: Stop,
): Promise<number> {
  let mesh: Mesh | undefined;
  await lock(scope, state, () =>
    mesh === undefined
      ? undefined
      : {
          snapshot: mesh.snapshot.bind(mesh),
          handshakes: mesh.telemetry.recent.bind(mesh.telemetry),
          subscribe: mesh.telemetry.subscribe.bind(mesh.telemetry),
        },
  );
  // Not before the lock is ours: opening sets aside the files of the run before.
  const logs = new MeshLogs(state.logs);
  scope.defer(() => logs.close());
  process.stdout.write(`Starting ${printableLine(shownPath(file.file))}: ${countOf(file)} ...\n`);
  const clock = systemClock;
  const log = jsonLog('info', (line) => logs.mesh.write(line));
  mesh = await Mesh.start(scope.child('mesh'), {
    mesh: file,
    provider: await openProvider(options.crypto, log),
    state,
    env: options.env,
    clock,
    log,
    audit: logs.audit.bind(logs),
    random: Math.random,
    output: (service, line, stream) => logs.service(service, line, stream),
  });
  scope.defer(stop.atOnce(mesh.endAll.bind(mesh)));
  const record = mesh.record();
  writeUpRecord(state.record, record);
  scope.defer(() => rmSync(state.record, { force: true }));
  scope.defer(noteRunning(runningFolder(options.env), record));

  process.stdout.write(`${greeting(file, state, options).join('\n')}\n\n`);
  const view = show(scope, mesh, options);
  const startedAt = clock.monotonic();
  const timer = options.forMilliseconds;
  if (timer !== undefined) scope.defer(clock.after(timer, stop.end));
  mesh.startServices();
  await stop.ended;
  const ran = clock.monotonic() - startedAt;
  // The last picture is the one of the running mesh, not of its end.
  await view.close();
  process.stdout.write('Stopping: what is under way is finished first; Ctrl-C again ends it at once.\n');
  const diagnosis = mesh.diagnosis();
  // Whoever ends it by hand may do so before all is there; a run of a given time has to prove something.
  const unmet = timer === undefined ? [] : mesh.unmet();
  await mesh.stop();
  const { totals } = mesh.snapshot();
  const summary = summarise(totals, ran, file.traffic.length > 0, unmet);
  process.stdout.write(`${summary.line}\n`);
  if (summary.faults.length > 0) {
    const faults = summary.faults.map((fault) => `Failed: ${fault}.`);
    const details = [...diagnosis, `The logs are in ${shownPath(state.logs)}.`].map((line) => `  ${line}`);
    process.stderr.write([...faults, ...details].map((line) => `${printableLine(line)}\n`).join(''));
  }
  if (stop.error !== undefined) throw stop.error;
  return summary.faults.length > 0 ? 1 : 0;
}

function loadMesh(file: string): MeshFile {
  const path = resolve(file);
  const parsed = parseMeshFile(path, readMeshFile(file), file);
  if (parsed.ok) return parsed.value;
  throw new UsageError(parsed.error.map(sayProblem).join('\n'));
}

async function lock(
  scope: Scope,
  state: StateFolder,
  source: Parameters<typeof serveControl>[2],
): Promise<void> {
  try {
    await serveControl(scope, state.socket, source);
  } catch (error) {
    if (!(error instanceof AlreadyRunning)) throw error;
    const pid = readUpRecord(state.record)?.pid;
    const who = pid === undefined ? 'another process' : `process ${pid}`;
    throw new UsageError(
      `This mesh is running already, in ${who}: its state folder is ${state.path}. Stop it first.`,
    );
  }
}

function countOf({ services }: MeshFile): string {
  const count = Object.keys(services).length;
  return count === 1 ? '1 service' : `${count} services`;
}

/** What one must know before anything else; it stays above the picture. */
function greeting(file: MeshFile, state: StateFolder, { crypto, env }: UpOptions): string[] {
  const text =
    `${shownPath(file.file)}: state, logs and CA in ${shownPath(state.path)}. All sidecars run in this one process and ` +
    'listen on loopback: any program on this machine that connects to the port of a call speaks with the identity of ' +
    'its caller. This is for development, not a boundary between users.';
  const shown = crypto === 'noble' ? `${text} ${NOBLE_WARNING}` : text;
  return wrap('', shown, Math.min(process.stdout.columns || WIDTH, WIDTH), paintFor(process.stdout, env));
}

const WIDTH = 100;

function show(parent: Scope, mesh: Mesh, { plain, env }: UpOptions): Scope {
  const scope = parent.child('view');
  const config = {
    clock: systemClock,
    snapshot: () => mesh.snapshot(),
    onChange: (look: () => void) => mesh.onChange(look),
  };
  if (process.stdout.isTTY && !plain && env.TERM !== 'dumb') {
    runLiveScreen(scope, { ...config, stream: process.stdout, env });
  } else {
    runPlainLines(scope, { ...config, write: (line) => process.stdout.write(`${line}\n`) });
  }
  return scope;
}
