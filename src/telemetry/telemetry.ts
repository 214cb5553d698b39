import { randomUUID } from 'node:crypto';
import type { Meter } from '@opentelemetry/api';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, type MetricReader } from '@opentelemetry/sdk-metrics';
import { RandomIdGenerator, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import type { Reason } from '#handshake';
import type { Clock, Log, ReadableWatch } from '#runtime';
import { CertificateMeters, type CredentialDates, type RenewalFailures } from './certificate-meters.ts';
import { ConnectionMeters, type Route, type UncapturedCount } from './connection-meters.ts';
import { type ConnectionRecorder, type ConnectionSubject, recordConnection } from './connection-recorder.ts';
import { type ChainCounts, CryptoMeters, type CryptoState } from './crypto-meters.ts';
import { DiscoveryMeters, type DiscoveryServiceState, type DiscoveryState } from './discovery-meters.ts';
import { EndpointMeters } from './endpoint-meters.ts';
import { EventLoopMeters } from './event-loop-meters.ts';
import type { ExportHealth } from './export-health.ts';
import { HandshakeMeters, type PolicyDecision } from './handshake-meters.ts';
import type { HandshakeRecord, HandshakeSubject } from './handshake-record.ts';
import type { ConnectionFailure } from './connection-failure.ts';
import { type HandshakeRecorder, recordHandshake } from './handshake-recorder.ts';
import { InjectionMeters, type InjectionOutcome } from './injection-meters.ts';
import { type IssuanceAnswer, IssuanceMeters } from './issuance-meters.ts';
import { ReasonLabels } from './labels.ts';
import { otlpMetrics, otlpSpans } from './otlp.ts';
import { PrometheusReader } from './prometheus.ts';
import { RecentRecords } from './recent-records.ts';
import { type Environment, parseSettings } from './settings.ts';
import { HandshakeTracer } from './tracer.ts';
import { type PlaintextCount, WorkloadMeters } from './workload-meters.ts';

export interface TelemetryConfig {
  readonly clock: Clock;
  readonly log: Log;
  /** The OTEL_* variables. Only src/cli reads process.env. */
  readonly environment: Environment;
  /** Handshake records that stay in memory, and the bytes of their JSON. */
  readonly recentRecords?: number;
  readonly recentBytes?: number;
  /** A handshake that takes longer is exported whatever the sampler says. */
  readonly slowMilliseconds?: number;
  /** How long `shutdown` waits for a collector. */
  readonly shutdownMilliseconds?: number;
  /** Where spans go beside the collector. */
  readonly spanProcessors?: readonly SpanProcessor[];
}

/** One for the process, shared by all of its sidecars. */
export class Telemetry {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ids = new RandomIdGenerator();
  readonly #recent: RecentRecords;
  readonly #tracer: HandshakeTracer | undefined;
  readonly #processors: readonly SpanProcessor[];
  readonly #meterProvider: MeterProvider;
  readonly #prometheus = new PrometheusReader();
  readonly #handshakes: HandshakeMeters;
  readonly #connections: ConnectionMeters;
  readonly #certificates: CertificateMeters;
  readonly #crypto: CryptoMeters;
  readonly #endpoints: EndpointMeters;
  readonly #discovery: DiscoveryMeters;
  readonly #issuance: IssuanceMeters;
  readonly #injection: InjectionMeters;
  readonly #workloads: WorkloadMeters;
  readonly #eventLoop: EventLoopMeters;
  readonly #shutdownMilliseconds: number;
  #sequence = 0;
  #stopped: Promise<void> | undefined;

  /** Throws TelemetrySettingsError if an OTEL_* variable can't be honoured. */
  static create(config: TelemetryConfig): Telemetry {
    return new Telemetry(config);
  }

  private constructor(config: TelemetryConfig) {
    const { clock, log, environment } = config;
    this.#clock = clock;
    this.#log = log;
    this.#shutdownMilliseconds = config.shutdownMilliseconds ?? 3_000;
    const limits = { records: config.recentRecords ?? 1_000, bytes: config.recentBytes ?? 4 * 1024 * 1024 };
    this.#recent = new RecentRecords(limits, log);

    const settings = parseSettings(environment);
    // Tells the streams of several processes with one name apart (semantic conventions, service.instance.id).
    const resource = { [ATTR_SERVICE_INSTANCE_ID]: randomUUID(), ...settings.resource };
    const metrics = otlpMetrics(settings, log);
    this.#meterProvider = meterProvider(resource, [this.#prometheus, ...(metrics ? [metrics.reader] : [])]);
    const spans = otlpSpans(settings, this.#meterProvider, log);
    this.#processors = [...(config.spanProcessors ?? []), ...(spans ? [spans.processor] : [])];
    if (this.#processors.length > 0) {
      const { sampling } = settings;
      const slowMilliseconds = config.slowMilliseconds ?? 1_000;
      this.#tracer = new HandshakeTracer({
        processors: this.#processors,
        sampling,
        resource,
        slowMilliseconds,
      });
    }

    const meter = this.#meterProvider.getMeter('sallyport');
    const reasons = new ReasonLabels();
    this.#handshakes = new HandshakeMeters(meter, reasons);
    this.#connections = new ConnectionMeters(meter, reasons);
    this.#certificates = new CertificateMeters(meter, clock, reasons);
    this.#crypto = new CryptoMeters(meter);
    this.#endpoints = new EndpointMeters(meter, reasons);
    this.#discovery = new DiscoveryMeters(meter);
    this.#issuance = new IssuanceMeters(meter, reasons);
    this.#injection = new InjectionMeters(meter, reasons);
    this.#workloads = new WorkloadMeters(meter);
    this.#eventLoop = new EventLoopMeters(meter, clock);
    observeLost(meter, { traces: spans?.health, metrics: metrics?.health });
  }

  /** What this process runs on, and how often it knew a peer's chain. */
  watchCrypto(state: CryptoState, chains: () => ChainCounts): void {
    this.#crypto.watch(state, chains);
  }

  startHandshake(subject: HandshakeSubject): HandshakeRecorder {
    const publish = (record: Omit<HandshakeRecord, 'sequence'>): void => this.#publish(record);
    const fail = (failure: ConnectionFailure): void => this.#fail(failure);
    return recordHandshake(subject, { clock: this.#clock, ids: this.#ids, publish, fail });
  }

  /** A connection that was accepted or is being dialled. Its line goes to `log`, the sidecar's own. */
  openConnection(subject: ConnectionSubject, log: Log = this.#log): ConnectionRecorder {
    return recordConnection(subject, { clock: this.#clock, log, meters: this.#connections });
  }

  /** A connection that was turned away before it got a recorder, for instance by a limit. */
  refused(service: string, direction: 'inbound' | 'outbound', reason: Reason): void {
    this.#connections.refused(service, direction, reason);
  }

  /** Counters that `read` asks the system for at each collection; undefined: it doesn't tell. Ends like `watchCredentials`. */
  watchUncaptured(service: string, read: () => readonly UncapturedCount[] | undefined): () => void {
    return this.#connections.watchUncaptured(service, read);
  }

  /** A call of our application that was connected. */
  routed(service: string, route: Route): void {
    this.#connections.routed(service, route);
  }

  /** A call tries again; `reason` is why the try before failed. */
  retried(service: string, reason: Reason): void {
    this.#endpoints.retried(service, reason);
  }

  /** An endpoint of a Service is left alone for a time. */
  ejected(service: string, reason: Reason): void {
    this.#endpoints.ejected(service, reason);
  }

  /** How many endpoints are left alone, read at each collection. Ends like `watchCredentials`. */
  watchEjected(service: string, read: () => number): () => void {
    return this.#endpoints.watchEjected(service, read);
  }

  /** What a sidecar knows by discovery, read at each collection. Ends like `watchCredentials`. */
  watchDiscovery(service: string, read: () => DiscoveryState): () => void {
    return this.#discovery.watch(service, read);
  }

  /** What a controller tells by discovery, read at each collection. Ends like `watchCredentials`. */
  watchDiscoveryService(service: string, read: () => DiscoveryServiceState): () => void {
    return this.#discovery.watchService(service, read);
  }

  /** A watch of the API server is begun anew. */
  watchRestarted(service: string, kind: string, reason: string): void {
    this.#discovery.restarted(service, kind, reason);
  }

  /** `mode` is the MeshTLS mode of the port. */
  plaintext(service: string, mode: 'Strict' | 'Permissive' | 'Disabled', result: 'passed' | 'refused'): void {
    this.#connections.plaintext(service, mode, result);
  }

  /** Who called a service in plaintext, read at each collection. Ends like `watchCredentials`. */
  watchPlaintext(service: string, read: () => readonly PlaintextCount[]): () => void {
    return this.#workloads.watchPlaintext(service, read);
  }

  /** Whether inbound capture is verified, read at each collection. Ends like `watchCredentials`. */
  watchCapture(service: string, read: () => boolean): () => void {
    return this.#workloads.watchCapture(service, read);
  }

  decision(decision: PolicyDecision): void {
    this.#handshakes.decision(decision);
  }

  /** Gauges of the leaf in use and of its issuer. Like the next two, returns the function that ends it. */
  watchCredentials(service: string, credentials: ReadableWatch<CredentialDates | undefined>): () => void {
    return this.#certificates.watch(service, credentials);
  }

  /** Of a bundle with several roots, give the one that ends last: the mesh lives as long as it. */
  watchRoot(service: string, root: ReadableWatch<{ readonly notAfter: number } | undefined>): () => void {
    return this.#certificates.watchRoot(service, root);
  }

  watchRenewalFailures(service: string, failures: ReadableWatch<RenewalFailures>): () => void {
    return this.#certificates.watchFailures(service, failures);
  }

  /** How far the authority's clock is ahead of ours, milliseconds; undefined until it was asked. */
  watchClockOffset(service: string, offset: ReadableWatch<number | undefined>): () => void {
    return this.#certificates.watchClockOffset(service, offset);
  }

  /** A controller answered a request for a certificate. */
  issuance(service: string, answer: IssuanceAnswer): void {
    this.#issuance.answered(service, answer);
  }

  /** The webhook was asked about a pod. */
  injection(service: string, outcome: InjectionOutcome): void {
    this.#injection.reviewed(service, outcome);
  }

  /** A connection for remote calls was turned away. */
  rpcRefused(service: string, reason: Reason): void {
    this.#issuance.refused(service, reason);
  }

  /** Read at each collection. Ends like `watchCredentials`. */
  watchRpcConnections(service: string, read: () => number): () => void {
    return this.#issuance.watchConnections(service, read);
  }

  /** Prometheus text format 0.0.4; with `service`, only that service's series and those of the process. Rejects after `shutdown`. */
  metricsText(service?: string): Promise<string> {
    return this.#prometheus.text(service);
  }

  /** The newest handshakes, oldest first. */
  recent(): readonly HandshakeRecord[] {
    return this.#recent.all();
  }

  /** Calls `listener` for each handshake from now on. Returns the function that ends it. */
  subscribe(listener: (record: HandshakeRecord) => void): () => void {
    return this.#recent.subscribe(listener);
  }

  /** Sends what is queued, as far as the collector answers in time. Never rejects. */
  shutdown(): Promise<void> {
    this.#stopped ??= this.#shutdown();
    return this.#stopped;
  }

  /** Nothing that goes wrong here may reach the handshake that is being told. */
  #publish(draft: Omit<HandshakeRecord, 'sequence'>): void {
    this.#sequence += 1;
    const record: HandshakeRecord = { sequence: this.#sequence, ...draft };
    try {
      this.#handshakes.handshake(record);
      this.#recent.add(record);
      this.#tracer?.emit(record);
    } catch (error) {
      this.#log.error('a handshake could not be recorded', { error: String(error), traceId: record.traceId });
    }
  }

  #fail(failure: ConnectionFailure): void {
    try {
      this.#tracer?.emitFailure(failure);
    } catch (error) {
      const { traceId } = failure;
      this.#log.error('the end of a connection could not be recorded', { error: String(error), traceId });
    }
  }

  async #shutdown(): Promise<void> {
    this.#eventLoop.stop();
    const flushed = Promise.allSettled([
      ...this.#processors.map((processor) => processor.shutdown()),
      this.#meterProvider.shutdown(),
    ]);
    const done = await new Promise<boolean>((resolve) => {
      const cancel = this.#clock.after(this.#shutdownMilliseconds, () => resolve(false));
      void flushed.then(() => {
        cancel();
        resolve(true);
      });
    });
    if (!done) this.#log.warn('telemetry was not flushed in time', { waitedMs: this.#shutdownMilliseconds });
  }
}

/**
 * One provider for all services, which are a label of every point: a Prometheus page may name each metric only once.
 * The process's own `service.name` is OTEL_SERVICE_NAME.
 */
function meterProvider(resource: Readonly<Record<string, string>>, readers: MetricReader[]): MeterProvider {
  const attributes = { [ATTR_SERVICE_NAME]: 'sallyport', ...resource };
  return new MeterProvider({
    resource: defaultResource().merge(resourceFromAttributes(attributes)),
    readers,
  });
}

function observeLost(meter: Meter, healths: Readonly<Record<string, ExportHealth | undefined>>): void {
  const lost = meter.createObservableCounter('sallyport.telemetry.lost', {
    description: 'Spans and metric points that the collector did not take',
    unit: '{item}',
  });
  lost.addCallback((result) => {
    for (const [signal, health] of Object.entries(healths)) {
      if (health !== undefined) result.observe(health.lost, { signal });
    }
  });
}
