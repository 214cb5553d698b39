import type { ServiceEntry } from './mesh-file.ts';
import type { Problem, Source } from './problem.ts';
import { suggestion } from './say-issue.ts';

/** What one service cannot know of the others: that those it calls exist, and that nobody wants the same port. */
export function checkReferences(
  source: Source,
  services: readonly ServiceEntry[],
  names: readonly string[],
): Problem[] {
  const problems: Problem[] = [];
  const ports = new Map<number, string>();
  const claim = (port: number, user: string, path: readonly PropertyKey[]): void => {
    const other = ports.get(port);
    if (other === undefined) ports.set(port, user);
    else problems.push(source.problem(path, `port ${port} is taken by ${other}`));
  };
  for (const service of services) claim(service.port, service.name, ['services', service.name, 'port']);

  for (const service of services) {
    const called = new Set<string>();
    for (const [index, call] of service.calls.entries()) {
      const path = ['services', service.name, 'calls', index];
      if (!names.includes(call.service)) {
        const say = `no service is called ${call.service}${suggestion(call.service, names)}`;
        problems.push(source.problem(path, say));
      } else if (call.service === service.name) {
        problems.push(source.problem(path, `${service.name} calls itself: it needs no sidecar for that`));
      } else if (called.has(call.service)) {
        problems.push(source.problem(path, `${call.service} is listed twice`));
      }
      called.add(call.service);
      if (call.listen !== undefined) {
        claim(call.listen, `${service.name}'s call of ${call.service}`, [...path, 'listen']);
      }
    }
  }
  return problems;
}
