import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeProvider } from '#handshake/crypto';
import { parseTrustBundle, serviceAccountId, type TrustBundle } from '#identity';
import { RemoteIssuance } from '#identity/issuance';
import { WorkloadAgent } from '#identity/workload';
import { type Clock, ok, Scope, silentLog, systemClock, Watch } from '#runtime';
import type { Child } from '../support/child.ts';
import { World } from './world.ts';

/** A controller takes a second to start; 100 are for those who changed it: SALLYPORT_KILLS=100. */
const KILLS = Number(process.env.SALLYPORT_KILLS ?? 8);
/** By so much the clock moves on from one start to the next: a rotation is due at most of them, and no leaf has ended. */
const AHEAD_MILLISECONDS = 5.5 * 3_600_000;
/** Of one pod a controller answers 12 requests at once (docs/controller.md). */
const RENEWALS = 10;
const START_MILLISECONDS = 60_000;
const MOMENTS = ['any', 'issuing', 'before a write', 'after a write'] as const;
type Moment = (typeof MOMENTS)[number];
const STATE = /\/secrets(\/sallyport-ca)?$/;
const STATE_NAME = '"name":"sallyport-ca"';

/** What the authority's Secret says of itself. */
interface State {
  readonly generation: number;
  readonly root: string | null;
}

let world: World;
let scope: Scope;
const failures: unknown[] = [];
const time = { ahead: 0 };
const clock: Clock = { ...systemClock, now: () => Date.now() + time.ahead };

beforeEach(async () => {
  world = await World.start();
  scope = new Scope('test', (error) => failures.push(error));
});
afterEach(async () => {
  await scope.close();
  await world.end();
  expect(failures.splice(0)).toEqual([]);
});

test(`kill -9 of the controller at ${KILLS} random moments of starting, issuing and rotating`, {
  timeout: KILLS * 2 * START_MILLISECONDS,
}, async () => {
  const serials = new Set<string>();
  const died = { any: 0, issuing: 0, 'before a write': 0, 'after a write': 0, intermediates: 0, leaves: 0 };
  const sidecar = new Sidecar();
  let before: State = { generation: 0, root: null };
  let startMilliseconds = 1_000;
  for (let kill = 0; kill < KILLS; kill += 1) {
    time.ahead += AHEAD_MILLISECONDS;
    const moment = MOMENTS[kill % MOMENTS.length] ?? 'any';
    const began = performance.now();
    const controller = start();
    const killed = moment.endsWith('write') ? killAtWrite(controller, moment) : undefined;
    if (moment === 'any')
      await Promise.race([after(Math.random() * startMilliseconds * 1.2), ready(controller)]);
    else await Promise.race([ready(controller), killed]);
    if (moment === 'issuing') {
      startMilliseconds = performance.now() - began;
      // Some that are answered, and one that may be under way.
      for (let left = Math.floor(Math.random() * RENEWALS); left > 0; left -= 1)
        await sidecar.renewed(controller);
      void sidecar.renew(controller).catch(() => undefined);
      await after(Math.random() * 30);
    }
    controller.signal('SIGKILL');
    // One that ended by itself has found something torn.
    const { signal } = await controller.ended();
    expect(signal, controller.output).toBe('SIGKILL');
    died[killed === undefined || (await killed) ? moment : 'any'] += 1;

    for (const { serial, kind } of issuedBy(controller)) {
      expect(serials.has(serial), serial).toBe(false);
      serials.add(serial);
      died[kind === 'leaf' ? 'leaves' : 'intermediates'] += 1;
    }
    // No certificate was handed out that nobody wrote down.
    for (const serial of sidecar.serials) expect(serials.has(serial), serial).toBe(true);
    const now = stateNow(before);
    expect(now.generation).toBeGreaterThanOrEqual(before.generation);
    if (before.root !== null) expect(now.root).toBe(before.root);
    before = now;
  }
  // The sidecar has held to the first roots all the time, and renews with what it had before the last kill.
  const last = start();
  await sidecar.renewed(last);
  await last.stop();
  console.log(`${KILLS} kills: ${JSON.stringify({ ...died, generation: before.generation })}`);
  expect(died.issuing).toBeGreaterThan(0);
  expect(died['before a write'] + died['after a write']).toBeGreaterThan(0);
});

/** A controller of now, with a port of its own. */
function start(): Child {
  return world.spawn('test/controller/programs/controller-ahead.ts', ['controller-0', String(time.ahead)]);
}

async function ready(controller: Child): Promise<number> {
  const [, port = ''] = await controller.says(/"grpc":(\d+)[^\n]*"controller started"/, START_MILLISECONDS);
  return Number(port);
}

/** A pod's sidecar that knows the first trust bundle only, and reaches whichever controller there is. */
class Sidecar {
  readonly serials: string[] = [];
  #agent: WorkloadAgent | undefined;
  readonly #target = { host: '127.0.0.1', port: 0 };

  /** Whether it got a certificate. */
  async renew(controller: Child): Promise<string | undefined> {
    this.#target.port = await ready(controller);
    this.#agent ??= this.#start(await bundle());
    const renewed = await this.#agent.renewNow();
    if (!renewed.ok) return `${renewed.error.reason.code}: ${renewed.error.detail}`;
    if (!this.serials.includes(renewed.value.serial)) this.serials.push(renewed.value.serial);
    return undefined;
  }

  /** By a controller that lives. */
  async renewed(controller: Child): Promise<void> {
    let failure = await this.renew(controller);
    // What was under way when the one before died may be joined, or tells of its death.
    for (let left = 3; failure !== undefined && left > 0; left -= 1) failure = await this.renew(controller);
    expect(failure).toBeUndefined();
  }

  #start(roots: TrustBundle): WorkloadAgent {
    const agent: WorkloadAgent = new WorkloadAgent({
      identity: serviceAccountId('mesh.test', 'shop', 'web'),
      issuance: new RemoteIssuance({
        target: this.#target,
        controller: serviceAccountId('mesh.test', 'sallyport-system', 'sallyport-controller'),
        bundle: new Watch(roots),
        readToken: () => Promise.resolve(ok(world.token(`JTI=${time.ahead}`, clock.now()))),
        current: () => agent.credentials.value,
        crypto: nodeProvider,
        clock,
      }),
      bundle: new Watch(roots),
      clock,
      crypto: nodeProvider,
      log: silentLog,
      random: Math.random,
    });
    agent.run(scope);
    return agent;
  }
}

/** Kills when the authority's Secret is about to be written, or when that is done and not yet answered; whether it came to that. */
async function killAtWrite(controller: Child, moment: Moment): Promise<boolean> {
  const { kubernetes } = world;
  const send = kubernetes.send.bind(kubernetes);
  const written = Promise.withResolvers<boolean>();
  kubernetes.send = async (method, path, body) => {
    const writes = method === 'PUT' || method === 'POST';
    if (!writes || !STATE.test(path) || !JSON.stringify(body).includes(STATE_NAME))
      return send(method, path, body);
    if (moment === 'after a write') await send(method, path, body);
    controller.signal('SIGKILL');
    written.resolve(true);
    throw new Error('nobody is there to answer');
  };
  void controller.exit.then(() => written.resolve(false));
  return written.promise.finally(() => {
    kubernetes.send = send;
  });
}

/** What a controller says that it issued, in whole lines. */
function issuedBy(controller: Child): { readonly serial: string; readonly kind: string }[] {
  return controller.output
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.includes('"certificate issued"'))
    .map((line) => JSON.parse(line) as { serial: string; kind: string });
}

function stateNow(before: State): State {
  const text = world.authorityState();
  if (text === undefined) return before;
  return (JSON.parse(text) as { readonly state: State }).state;
}

async function bundle(): Promise<TrustBundle> {
  const parsed = parseTrustBundle('mesh.test', await world.trustBundle());
  if (!parsed.ok) throw new Error(parsed.error.join());
  return parsed.value;
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
