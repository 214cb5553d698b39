import type { HandshakeRecord } from '#telemetry';
import type { Cluster } from '../cluster/cluster.ts';
import { askSidecars, sidecarsAt } from '../cluster/places.ts';
import { askControl, followControl } from '../control/control-client.ts';
import { UsageError } from '../usage-error.ts';
import { type Paint, paintFor } from '../view/paint.ts';
import { handshakeLine, renderHandshakes } from '../view/handshake-table.ts';
import { printableJson, printableLine } from '../view/printable.ts';
import { renderWaterfall } from '../view/waterfall.ts';
import { chooseWorld, type WorldChoice } from '../world.ts';

export interface HandshakesOptions {
  readonly choice: WorldChoice;
  readonly json: boolean;
  readonly live: boolean;
  readonly failed: boolean;
  /** The (start of a) trace id, or true for the newest handshake. */
  readonly waterfall: string | true | undefined;
  readonly limit: number;
  readonly env: NodeJS.ProcessEnv;
}

/** `sallyport handshakes`: what both sides of each handshake saw. 1 where a sidecar of a cluster did not answer. */
export async function handshakes(options: HandshakesOptions): Promise<number> {
  const { json, live, failed, waterfall, limit, env } = options;
  const world = await chooseWorld(options.choice, env);
  if (live && world.kind === 'cluster')
    throw new UsageError(
      '--live follows a mesh of this machine. In a cluster: kubectl logs -f POD -c sallyport, or traces (docs/operations.md).',
    );
  const wanted = (record: HandshakeRecord): boolean => !failed || record.result !== 'ok';
  const paint = paintFor(process.stdout, env);
  const width = process.stdout.columns || WIDE;
  const { records: known, silent } =
    world.kind === 'embedded'
      ? { records: await askControl<readonly HandshakeRecord[]>(world.mesh.socket, '/handshakes'), silent: 0 }
      : await ofCluster(world.cluster, options.choice.places);
  const all = known.filter(wanted);

  if (waterfall !== undefined) {
    const records = ofTrace(all, waterfall);
    if (json) writeJson(records);
    else write(renderWaterfall(records, process.stdout.columns || WATERFALL_WIDTH, paint));
    return silent === 0 ? 0 : 1;
  }
  const newest = all.slice(-limit);
  if (!live || world.kind === 'cluster') {
    if (json) writeJson(newest);
    else write(renderHandshakes(newest, width, paint));
    return silent === 0 ? 0 : 1;
  }
  await follow(world.mesh.socket, newest, wanted, { json, width, paint });
  return 0;
}

const WIDE = 1_000;
const WATERFALL_WIDTH = 100;

/** Those of all sidecars, by time; a record's service is the pod. */
async function ofCluster(
  cluster: Cluster,
  places: readonly string[],
): Promise<{ readonly records: readonly HandshakeRecord[]; readonly silent: number }> {
  const { sidecars } = await sidecarsAt(cluster, places);
  const told = await askSidecars<{ readonly handshakes: readonly HandshakeRecord[] }>(
    cluster,
    sidecars,
    '/handshakes',
  );
  const silent = told.filter(({ problem }) => problem !== undefined);
  for (const { sidecar, problem } of silent) {
    const line = `${sidecar.namespace}/${sidecar.name} says nothing: ${problem ?? ''}`;
    process.stderr.write(`${printableLine(line)}\n`);
  }
  const records = told.flatMap(({ sidecar, answer }) =>
    (answer?.handshakes ?? []).map((record) => ({
      ...record,
      service: `${sidecar.namespace}/${sidecar.name}`,
    })),
  );
  return {
    records: records.toSorted((one, other) => one.startTime - other.startTime),
    silent: silent.length,
  };
}

interface Output {
  readonly json: boolean;
  readonly width: number;
  readonly paint: Paint;
}

async function follow(
  socket: string,
  newest: readonly HandshakeRecord[],
  wanted: (record: HandshakeRecord) => boolean,
  { json, width, paint }: Output,
): Promise<void> {
  const enough = new AbortController();
  process.once('SIGINT', () => enough.abort());
  process.once('SIGTERM', () => enough.abort());
  // Whoever reads us may have had enough (`| head`).
  process.stdout.once('error', () => enough.abort());
  const show = (record: HandshakeRecord): void => {
    process.stdout.write(`${json ? printableJson(record) : handshakeLine(record, width, paint)}\n`);
  };
  let shown = 0;
  const once = (record: HandshakeRecord): void => {
    if (record.sequence <= shown || !wanted(record)) return;
    shown = record.sequence;
    show(record);
  };
  for (const record of newest) once(record);
  await followControl<HandshakeRecord>(socket, '/handshakes/live', once, enough.signal);
  if (!enough.signal.aborted) process.stderr.write('The mesh has ended.\n');
}

function ofTrace(all: readonly HandshakeRecord[], wanted: string | true): HandshakeRecord[] {
  const id = wanted === true ? newestPair(all) : wanted.toLowerCase();
  const records = all.filter(({ traceId }) => id !== undefined && traceId.startsWith(id));
  const traces = new Set(records.map(({ traceId }) => traceId));
  if (traces.size === 1) return records;
  if (traces.size > 1)
    throw new UsageError(`${traces.size} traces begin with ${id}: give more of its digits.`);
  if (wanted === true) throw new UsageError('There is no handshake to show yet.');
  throw new UsageError(
    `No handshake in memory has a trace id that begins with ${wanted}. sallyport handshakes lists those that do.`,
  );
}

/** The newest trace of which both sides are known, else the newest of all. */
function newestPair(all: readonly HandshakeRecord[]): string | undefined {
  const sides = Map.groupBy(all, ({ traceId }) => traceId);
  const whole = all.findLast(({ traceId }) => (sides.get(traceId)?.length ?? 0) > 1);
  return (whole ?? all.at(-1))?.traceId;
}

function write(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function writeJson(value: unknown): void {
  process.stdout.write(`${printableJson(value, 2)}\n`);
}
