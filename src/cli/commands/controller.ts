import { apiObjects, Controller, type ControllerSettings, kubeConfig, kubernetesApi } from '#controller';
import { verifiedChainCounts } from '#identity';
import { AuthorityError } from '#identity/ca';
import { type Log, type Scope, systemClock } from '#runtime';
import { Telemetry, TelemetrySettingsError } from '#telemetry';
import { readControllerFile } from '../controller-file/read.ts';
import { type OpenedProvider, openProvider, type ProviderName } from '../crypto-provider.ts';
import { otelEnvironment } from '../otel-environment.ts';
import { untilStopped } from './until-stopped.ts';

export interface ControllerOptions {
  readonly file: string;
  readonly crypto: ProviderName;
  readonly env: NodeJS.ProcessEnv;
}

/** Sidecars that are in the middle of a request get this long; their streams go to another replica at once. */
const DRAIN_MILLISECONDS = 5000;

/**
 * `sallyport controller`: gives a cluster's pods their certificates and tells sidecars of each other, until SIGTERM.
 * Throws UsageError with every mistake of its file. 0 after an orderly end.
 */
export async function controller({ file, crypto, env }: ControllerOptions): Promise<number> {
  const settings = readControllerFile(file, {
    namespace: env.SALLYPORT_NAMESPACE,
    serviceAccount: env.SALLYPORT_SERVICE_ACCOUNT,
    pod: env.SALLYPORT_POD,
  });
  return untilStopped({
    name: 'controller',
    start: async (scope, log) => {
      const running = await start(scope, settings, await openProvider(crypto, log), log, env);
      return { drain: () => running.drain(DRAIN_MILLISECONDS) };
    },
    isMendable,
  });
}

function start(
  scope: Scope,
  settings: ControllerSettings,
  { crypto, fallbacks }: OpenedProvider,
  log: Log,
  env: NodeJS.ProcessEnv,
): Promise<Controller> {
  const clock = systemClock;
  const telemetry = Telemetry.create({ clock, log, environment: otelEnvironment(env) });
  scope.defer(() => telemetry.shutdown());
  telemetry.watchCrypto({ provider: crypto.name, fallbacks }, verifiedChainCounts);
  const kubernetes = kubeConfig();
  return Controller.start(scope, settings, {
    api: kubernetesApi(kubernetes),
    objects: apiObjects(kubernetes),
    telemetry,
    crypto,
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
