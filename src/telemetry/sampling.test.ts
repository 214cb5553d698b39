import { describe, expect, test } from 'vitest';
import {
  clientHello,
  clientUntilFinished,
  failed,
  serverUntilFinished,
  type World,
  world,
} from './testing/handshakes.ts';

const HANDSHAKES = 200;

async function handshakes(run: World): Promise<void> {
  for (let seed = 0; seed < HANDSHAKES; seed += 1) {
    await run.client().play(...clientUntilFinished(`${seed}`).filter((step) => typeof step !== 'number'), {
      type: 'confirmed',
    });
    const server = run.server();
    await server.play(...serverUntilFinished(`${seed}`).filter((step) => typeof step !== 'number'));
    server.recorder.permitted('p');
  }
}

const traces = (run: World, service: string): Set<string> =>
  new Set(
    run
      .spans()
      .filter(
        ({ name, resource }) => name === 'tls.handshake' && resource.attributes['service.name'] === service,
      )
      .map((span) => span.spanContext().traceId),
  );

test('with a ratio both sides keep the same handshakes, about that share', async () => {
  const run = world({
    environment: { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' },
  });
  await handshakes(run);
  const [client, server] = [traces(run, 'web'), traces(run, 'orders')];
  expect(client).toEqual(server);
  // 200 x 0.25 = 50, with a standard deviation of 6: the seeds are fixed, so this does not flicker.
  expect(client.size).toBeGreaterThan(30);
  expect(client.size).toBeLessThan(70);
  expect(run.telemetry.recent()).toHaveLength(2 * HANDSHAKES);
});

describe('always_off', () => {
  const off = { OTEL_TRACES_SAMPLER: 'parentbased_always_off' };

  test('keeps no span of a quick success, nor of its operations', async () => {
    const run = world({ environment: off });
    await handshakes(run);
    expect(run.spans()).toEqual([]);
  });

  test('keeps failures, and the spans of their operations', async () => {
    const run = world({ environment: off });
    await run.client().play(...clientUntilFinished('a'), failed('transport-reset'));
    expect(run.spans().map(({ name }) => name)).toContain('tls.handshake');
    expect(run.spans().map(({ name }) => name)).toContain('tls.sign');
  });

  test('keeps what took longer than the threshold, not what took as long', async () => {
    const run = world({ environment: off, slowMilliseconds: 250 });
    await run.client().play(clientHello('a'), 250, { type: 'established' }, { type: 'confirmed' });
    expect(run.spans()).toEqual([]);
    await run.client().play(clientHello('b'), 251, { type: 'established' }, { type: 'confirmed' });
    expect(run.spans()).toHaveLength(1);
  });

  test("a slow application is no slow handshake: the wait for the server's first record doesn't count", async () => {
    const run = world({ environment: off });
    await run.client().play(clientHello('a'), { type: 'established' }, 60_000, { type: 'confirmed' });
    expect(run.spans()).toEqual([]);
  });
});

test('without a variable every handshake is kept', async () => {
  const run = world();
  await handshakes(run);
  expect(traces(run, 'web').size).toBe(HANDSHAKES);
});
