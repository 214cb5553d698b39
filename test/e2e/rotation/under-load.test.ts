import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Application } from '../../support/application.ts';
import { Mesh, type MeshService } from '../../support/mesh.ts';
import { bePatient, eventually } from '../../support/patience.ts';

bePatient();

const REQUESTS = 10_000;
const ROTATIONS = 5;
const ROTATE_EVERY_MILLISECONDS = 1_500;
/** Requests under way at once. */
const WORKERS = 12;
/** Every twentieth request has a connection of its own; the others share some that outlive all rotations. */
const FRESH = 20;
/** Each leaf is shown by a client and by a server, but for the ends of the chain. */
const CALLS = [
  ['web', 'orders'],
  ['web', 'payments'],
  ['orders', 'payments'],
] as const;
const NAMES = ['payments', 'orders', 'web'] as const;

let mesh: Mesh;
let payments: Application;
let orders: Application;

beforeAll(async () => {
  payments = await Application.http((_, response) => response.end('payments'));
  orders = await Application.http((_, response) => response.end('orders'));
  mesh = await Mesh.start({
    services: {
      payments: { application: payments },
      orders: { application: orders, calls: ['payments'] },
      web: { calls: ['orders', 'payments'] },
    },
    rotateEveryMilliseconds: ROTATE_EVERY_MILLISECONDS,
  });
});

afterAll(async () => {
  kept.destroy();
  await mesh.close();
  await Promise.all([payments.close(), orders.close()]);
});

const kept = new Agent({ keepAlive: true, maxSockets: WORKERS });

test('10,000 requests across 5 rotations of every leaf and one of the intermediate: none fails', {
  timeout: 300_000,
}, async ({ annotate }) => {
  const services = NAMES.map((name) => mesh.service(name));
  const serials = new Map(services.map((service) => [service.name, watchSerials(service)]));
  const processes = [process.pid, ...services.map(({ sidecar }) => sidecar.addresses.admin.port)];
  const firstIntermediate = mesh.authority.intermediate.value.serial;
  const started = performance.now();

  const failures: string[] = [];
  let done = 0;
  const leastRotations = (): number => Math.min(...[...serials.values()].map(({ size }) => size)) - 1;
  const rotated = (): boolean => {
    const issuers = services.map(({ agent }) => agent.credentials.value?.issuer.serial);
    return leastRotations() >= ROTATIONS && issuers.every((serial) => serial !== firstIntermediate);
  };
  const work = async (): Promise<void> => {
    while (done < REQUESTS || !rotated()) {
      done += 1;
      const [caller, callee] = CALLS[done % CALLS.length] ?? CALLS[0];
      const agent = done % FRESH === 0 ? undefined : kept;
      try {
        const answer = await get(mesh.service(caller).calls(callee), agent);
        if (answer !== callee) failures.push(`${callee} answered ${answer}`);
      } catch (error) {
        failures.push(`${caller} to ${callee}: ${String(error)}`);
      }
    }
  };
  const intermediate = (async (): Promise<void> => {
    await eventually(leastRotations).toBeGreaterThanOrEqual(2);
    await mesh.authority.rotateIntermediate();
  })();
  await Promise.all([intermediate, ...Array.from({ length: WORKERS }, work)]);
  const seconds = (performance.now() - started) / 1000;

  expect(failures).toEqual([]);
  expect(done).toBeGreaterThanOrEqual(REQUESTS);
  for (const [name, seen] of serials) expect([name, seen.size - 1 >= ROTATIONS]).toEqual([name, true]);
  expect(mesh.authority.intermediate.value.serial).not.toBe(firstIntermediate);
  // No restart: the same process, the same listeners.
  expect([process.pid, ...services.map(({ sidecar }) => sidecar.addresses.admin.port)]).toEqual(processes);

  // What the peers were shown, on both sides, are the certificates that were issued: old ones and new ones.
  const shown = NAMES.flatMap((name) => mesh.handshakes(name));
  for (const [name, issued] of serials) {
    const own = shown.filter(({ peer }) => peer === mesh.service(name).identity.toString());
    const seen = new Set(own.map(({ peerSerial }) => peerSerial ?? ''));
    expect([...seen].filter((serial) => !issued.has(serial))).toEqual([]);
    expect([name, seen.size >= 2]).toEqual([name, true]);
  }
  for (const name of NAMES) expect(mesh.handshakes(name).filter(({ result }) => result !== 'ok')).toEqual([]);
  for (const service of services) {
    expect(service.lines().filter(({ level }) => level !== 'info')).toEqual([]);
  }

  const handshakes = await handshakesCounted(services);
  await annotate(
    `${done} requests in ${seconds.toFixed(1)} s, ${handshakes} handshakes, ` +
      `${leastRotations()} rotations of every leaf, failed 0`,
  );
});

/** All serial numbers that a workload has held since now, the present one included. */
function watchSerials({ agent }: MeshService): Set<string> {
  const serials = new Set<string>();
  const add = (): void => {
    const { value } = agent.credentials;
    if (value !== undefined) serials.add(value.serial);
  };
  add();
  agent.credentials.subscribe(add);
  return serials;
}

/** Full handshakes by the servers' own counters. */
async function handshakesCounted(services: readonly MeshService[]): Promise<number> {
  const pages = await Promise.all(services.map((service) => service.metrics()));
  let count = 0;
  for (const page of pages) {
    for (const line of page.matchAll(/^sallyport_tls_handshakes_total\{(.*)\} (\d+)/gm)) {
      if (line[1]?.includes('role="server"') === true && line[1].includes('result="ok"')) {
        count += Number(line[2]);
      }
    }
  }
  return count;
}

/** Node's http client never retries by itself. Without an agent: a connection for this request alone. */
function get({ host, port }: { host: string; port: number }, agent: Agent | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, agent: agent ?? false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
