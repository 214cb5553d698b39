import { apiObjects, Controller, type ControllerSettings, kubeConfig, kubernetesApi } from '#controller';
import { nodeProvider } from '#handshake/crypto';
import { AuthorityError } from '#identity/ca';
import { jsonLog, type Log, Scope, systemClock } from '#runtime';
import { Telemetry, TelemetrySettingsError } from '#telemetry';
import { readControllerFile } from '../controller-file/read.ts';
import { UsageError } from '../usage-error.ts';
import { stopSignal } from './stop-signal.ts';

export interface ControllerOptions {
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Sidecars that are in the middle of a request get this long; their streams go to another replica at once. */
const DRAIN_MILLISECONDS = 5000;

/**
 * `sallyport controller`: gives a cluster's pods their certificates and tells sidecars of each other, until SIGTERM.
 * Throws UsageError with every mistake of its file. 0 after an orderly end.
 */
export async function controller({ file, env }: ControllerOptions): Promise<number> {
  const settings = readControllerFile(file, {
    namespace: env.SALLYPORT_NAMESPACE,
    serviceAccount: env.SALLYPORT_SERVICE_ACCOUNT,
    pod: env.SALLYPORT_POD,
  });
  const stop = stopSignal();
  const log = jsonLog('info', (line) => void process.stdout.write(line));
  const scope = new Scope('controller', (error) => {
    log.error('a part of the controller failed', { error: String(error) });
    stop.fail(error);
  });
  try {
    const running = await Promise.race([start(scope, settings, log, env), stop.ended.then(() => undefined)]);
    await stop.ended;
    await running?.drain(DRAIN_MILLISECONDS);
  } catch (error) {
    throw isMendable(error) ? new UsageError(error.message) : error;
  } finally {
    await scope.close();
    stop.dispose();
  }
  if (stop.error !== undefined) throw stop.error;
  return 0;
}

function start(
  scope: Scope,
  settings: ControllerSettings,
  log: Log,
  env: NodeJS.ProcessEnv,
): Promise<Controller> {
  const clock = systemClock;
  const environment = Object.entries(env).filter(([name]) => name.startsWith('OTEL_'));
  const telemetry = Telemetry.create({
    clock,
    log,
    environment: Object.fromEntries(environment.map(([name, value]) => [name, value ?? ''])),
  });
  scope.defer(() => telemetry.shutdown());
  const kubernetes = kubeConfig();
  return Controller.start(scope, settings, {
    api: kubernetesApi(kubernetes),
    objects: apiObjects(kubernetes),
    telemetry,
    crypto: nodeProvider,
    clock,
    log,
    random: Math.random,
  });
}

/** What the user can mend by other settings. */
function isMendable(error: unknown): error is Error {
  if (error instanceof AuthorityError || error instanceof TelemetrySettingsError) return true;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL';
}
