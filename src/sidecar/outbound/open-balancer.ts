import type { Scope } from '#runtime';
import type { CheckedConfig } from '../config.ts';
import { formatEndpoint } from '../listen/endpoint.ts';
import { Balancer } from './balancer.ts';

/** The balancer of a sidecar, which tells its log and metrics what becomes of endpoints. */
export function openBalancer(scope: Scope, config: CheckedConfig): Balancer {
  const { clock, limits, log, random = Math.random, service, telemetry, whereabouts = {} } = config;
  const balancer = new Balancer({
    clock,
    random,
    whereabouts,
    services: limits.rememberedServices,
    endpoints: limits.rememberedEndpoints,
    events: {
      ejected(called, { address }, reason, milliseconds) {
        telemetry.ejected(service, reason);
        const { code, say, next } = reason;
        const endpoint = formatEndpoint(address);
        const forMs = Math.round(milliseconds);
        log.warn('endpoint ejected', { service, called, endpoint, forMs, reason: code, say, next });
      },
      returned(called, { address }) {
        log.info('endpoint returned', { service, called, endpoint: formatEndpoint(address) });
      },
    },
  });
  scope.defer(telemetry.watchEjected(service, () => balancer.ejected));
  return balancer;
}
