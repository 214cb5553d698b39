import { expect, test } from 'vitest';
import type { ServiceEntry } from '../mesh-file/mesh-file.ts';
import { serviceEnvironment } from './service-environment.ts';

const entry: ServiceEntry = {
  name: 'web',
  command: undefined,
  port: 8480,
  namespace: 'default',
  serviceAccount: 'web',
  labels: {},
  env: { MODE: 'fast' },
  calls: [],
};

test('a service is told its port and where its calls go, by the names that Kubernetes uses', () => {
  const outbound = new Map([['order-keeper', 40_001]]);
  const inherited = { PATH: '/bin', npm_config_loglevel: 'silent', NODE_OPTIONS: '--inspect' };
  expect(serviceEnvironment(entry, outbound, inherited)).toEqual({
    PATH: '/bin',
    ORDER_KEEPER_SERVICE_HOST: '127.0.0.1',
    ORDER_KEEPER_SERVICE_PORT: '40001',
    ORDER_KEEPER_URL: 'http://127.0.0.1:40001',
    PORT: '8480',
    MODE: 'fast',
  });
});

test('mesh.yaml has the last word', () => {
  const own = { ...entry, env: { PORT: '1', PATH: '/opt/bin' } };
  expect(serviceEnvironment(own, new Map(), { PATH: '/bin' })).toEqual({ PATH: '/opt/bin', PORT: '1' });
});
