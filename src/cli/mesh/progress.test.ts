import { expect, test } from 'vitest';
import { Scope, Watch } from '#runtime';
import type { TrafficEntry } from '../mesh-file/mesh-file.ts';
import type { ServiceState } from '../services/service-process.ts';
import { Progress, type Startable } from './progress.ts';

const state = (phase: ServiceState['phase']): ServiceState => {
  return { phase, pid: undefined, restarts: 0, detail: undefined };
};
const entry = (service: string, through: TrafficEntry['through'] = []): TrafficEntry => {
  return { service, path: '/checkout', as: undefined, through, everyMilliseconds: 100 };
};

test('tells which service never was ready and which traffic never began, and why', async () => {
  const phases = new Map(['web', 'orders'].map((name) => [name, new Watch(state('starting'))]));
  const credentials = new Watch({} as Startable['credentials']['value']);
  const gates = [...phases].map(([name, phase]) => ({
    entry: { name },
    process: { state: phase },
    credentials,
  }));
  const scope = new Scope('test', (error) => {
    throw error;
  });
  const progress = new Progress(scope, gates);
  const home = entry('web');
  const checkout = entry('web', [{ from: 'web', to: 'orders' }]);
  const { signal } = new AbortController();
  const begun = [home, checkout].map((one) => progress.begin(one, signal));

  phases.get('web')?.set(state('ready'));
  await begun[0];
  expect(progress.unmet([home, checkout])).toEqual([
    'orders never became ready',
    'http://web/checkout was never asked: orders was not ready',
  ]);

  phases.get('orders')?.set(state('ready'));
  await begun[1];
  phases.get('orders')?.set(state('restarting'));
  expect(progress.unmet([home, checkout])).toEqual([]);
  await scope.close();
});
