import { resolve } from 'node:path';
import { serviceAccountId, verifiedChainCounts } from '#identity';
import { PolicyLoadError, type WatchedPolicies, watchPolicies } from '#policy';
import { err, type Log, ok, type Result, type Scope, systemClock } from '#runtime';
import { BindError, type CaptureConfig, Sidecar, SidecarConfigError } from '#sidecar';
import { openSocketCalls } from '#sidecar/intercept';
import { Telemetry, TelemetrySettingsError } from '#telemetry';
import { sayProblem } from '../mesh-file/problem.ts';
import { followRoot } from '../follow/root.ts';
import { followSource } from '../follow/source.ts';
import { giveBackHeap } from '../give-back/heap.ts';
import { openProgramPages } from '../give-back/program-pages.ts';
import { otelEnvironment } from '../otel-environment.ts';
import { readText } from '../read-text.ts';
import { parseSidecarFile, type SidecarFile } from '../sidecar-file/sidecar-file.ts';
import { type OpenedProvider, openProvider, type ProviderName } from '../crypto-provider.ts';
import { UsageError } from '../usage-error.ts';
import { untilStopped } from './until-stopped.ts';

export interface SidecarOptions {
  /** Undefined: the text in SALLYPORT_CONFIG, or else ./sidecar.yaml. */
  readonly file: string | undefined;
  readonly crypto: ProviderName;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * `sallyport sidecar`: runs the sidecar of this network namespace until SIGTERM, then drains. Throws UsageError with
 * every mistake of its files. 0 after an orderly end.
 */
export async function sidecar({ file, crypto, env }: SidecarOptions): Promise<number> {
  const settings = readSettings(file, env);
  return untilStopped({
    name: 'sidecar',
    start: async (scope, log, stop) => {
      const running = await start(scope, settings, await openProvider(crypto, log), log, env);
      scope.defer(stop.atOnce(running.endAll.bind(running)));
      return running;
    },
    isMendable,
  });
}

async function start(
  scope: Scope,
  settings: SidecarFile,
  { crypto, fallbacks }: OpenedProvider,
  log: Log,
  env: NodeJS.ProcessEnv,
): Promise<Sidecar> {
  const clock = systemClock;
  const { trustDomain, workload } = settings;
  const identity = serviceAccountId(trustDomain, workload.namespace, workload.serviceAccount);
  const [source, policies, calls] = await Promise.all([
    followSource(settings, identity, { clock, crypto, log }),
    loadPolicies(settings, log),
    openSocketCalls(),
  ]);
  const mistakes = [source, policies].flatMap((part) => (part.ok ? [] : part.error));
  if (!calls.ok) mistakes.push(`${calls.error.reason.say} (${calls.error.detail})`);
  if (!source.ok || !policies.ok || !calls.ok) throw new UsageError(mistakes.join('\n'));
  const telemetry = Telemetry.create({ clock, log, environment: otelEnvironment(env) });
  scope.defer(() => telemetry.shutdown());
  telemetry.watchCrypto({ provider: crypto.name, fallbacks }, verifiedChainCounts);
  scope.defer(telemetry.watchRoot(settings.service, followRoot(scope, source.value.bundle)));
  source.value.run(scope, telemetry);
  policies.value.run(scope);
  const capture: CaptureConfig = {
    inboundPort: settings.ports.inbound,
    outboundPort: settings.ports.outbound,
    statusPort: settings.ports.status,
    verificationPort: settings.ports.verification,
    ...calls.value,
    destinations: source.value.destinations,
    serverFirstPorts: new Set(settings.serverFirstPorts),
    probes: settings.probes,
    adviseAfterMilliseconds:
      env.KUBERNETES_SERVICE_HOST === undefined ? undefined : ADVISE_AFTER_MILLISECONDS,
  };
  const started = await Sidecar.start(scope, {
    service: settings.service,
    workload,
    identity,
    credentials: source.value.credentials,
    bundle: source.value.bundle,
    ...(source.value.onDecision === undefined ? {} : { onDecision: source.value.onDecision }),
    policies: source.value.policies ?? policies.value.policies,
    telemetry,
    log,
    clock,
    crypto,
    outbound: [],
    whereabouts: whereaboutsOf(env),
    capture,
    admin: { host: '127.0.0.1', port: settings.ports.admin },
  });
  const giveBackPages = await openProgramPages(log);
  const giveBack = (): void => {
    giveBackHeap();
    giveBackPages();
  };
  scope.defer(clock.after(GIVE_BACK_AFTER_MILLISECONDS, giveBack));
  log.info('sidecar started', { identity: identity.toString(), ...settings.ports });
  return started;
}

/** By then the application starts, or waits for its first call. */
const GIVE_BACK_AFTER_MILLISECONDS = 1_000;

/** From the downward API: for Services whose endpoints are to be near. */
function whereaboutsOf({ SALLYPORT_NODE: node, SALLYPORT_ZONE: zone }: NodeJS.ProcessEnv) {
  return { ...(node === undefined ? {} : { node }), ...(zone === undefined ? {} : { zone }) };
}

/** A kubelet asks every few seconds; when it has not for so long, something is wrong that its events don't say. */
const ADVISE_AFTER_MILLISECONDS = 15_000;

function readSettings(file: string | undefined, env: NodeJS.ProcessEnv): SidecarFile {
  const given = file === undefined ? env.SALLYPORT_CONFIG : undefined;
  const path = given === undefined ? resolve(file ?? 'sidecar.yaml') : 'SALLYPORT_CONFIG';
  const parsed = parseSidecarFile(path, given ?? readText(path, "Name the sidecar's file with -c."), {
    namespace: env.SALLYPORT_NAMESPACE,
    serviceAccount: env.SALLYPORT_SERVICE_ACCOUNT,
    name: env.SALLYPORT_POD,
    probes: env.SALLYPORT_PROBES,
  });
  if (parsed.ok) return parsed.value;
  throw new UsageError(parsed.error.map(sayProblem).join('\n'));
}

async function loadPolicies(
  { policies: paths, defaults, trustDomain, rootNamespace }: SidecarFile,
  log: Log,
): Promise<Result<WatchedPolicies, readonly string[]>> {
  try {
    return ok(await watchPolicies({ paths, defaults, trustDomain, rootNamespace, clock: systemClock, log }));
  } catch (error) {
    if (error instanceof PolicyLoadError) return err([error.message]);
    throw error;
  }
}

/** What the user can mend by other settings. */
function isMendable(error: unknown): error is Error {
  if (error instanceof AggregateError) return error.errors.every(isMendable);
  return (
    error instanceof BindError ||
    error instanceof TelemetrySettingsError ||
    error instanceof SidecarConfigError
  );
}
