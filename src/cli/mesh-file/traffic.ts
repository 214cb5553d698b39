import type * as z from 'zod';
import { err, ok, type Result } from '#runtime';
import { type Hop, hopName, type ServiceEntry, type TrafficEntry } from './mesh-file.ts';
import type { Path, Problem } from './problem.ts';
import { suggestion } from './say-issue.ts';
import type { trafficSchema } from './schema.ts';

type Written = z.output<typeof trafficSchema>;

/**
 * Joins one line of traffic with the services it names. `names` are all services, `services` those that are free of
 * mistakes: nothing is said of the others' calls. `problem` places a mistake within that line.
 */
export function parseTraffic(
  written: Written,
  services: readonly ServiceEntry[],
  names: readonly string[],
  problem: (path: Path, say: string) => Problem,
): Result<TrafficEntry, Problem[]> {
  const url = parseRequest(written.request);
  if (url === undefined) return err([problem(['request'], `request: ${REQUEST_FORM}`)]);
  const problems: Problem[] = [];
  const known = (name: string, path: Path): void => {
    if (names.includes(name)) return;
    problems.push(problem(path, `no service is called ${name}${suggestion(name, names)}`));
  };
  known(url.service, ['request']);
  if (written.as !== undefined) known(written.as, ['as']);

  const first: Hop[] = written.as === undefined ? [] : [{ from: written.as, to: url.service }];
  const hops = written.through.map((text) => {
    const [from = '', to = ''] = text.split(' -> ');
    return { from, to };
  });
  const all = [...first, ...hops];
  for (const [index, hop] of all.entries()) {
    const at = index < first.length ? ['as'] : ['through', index - first.length];
    if (index >= first.length) known(hop.from, at);
    if (calls(services, hop)) continue;
    problems.push(problem(at, `${hopName(hop)} is not among the calls of ${hop.from}`));
  }
  if (problems.length > 0) return err(problems);
  return ok({
    ...url,
    as: written.as,
    through: all.filter((hop, index) => all.findIndex((other) => hopName(other) === hopName(hop)) === index),
    everyMilliseconds: written.every,
  });
}

const REQUEST_FORM = 'write http://SERVICE/PATH; the port is that of the service';

function parseRequest(text: string): { service: string; path: string } | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== 'http:' || url.port !== '' || url.username !== '') return undefined;
  return { service: url.hostname, path: `${url.pathname}${url.search}` };
}

function calls(services: readonly ServiceEntry[], hop: Hop): boolean {
  const caller = services.find((service) => service.name === hop.from);
  return caller === undefined || caller.calls.some((call) => call.service === hop.to);
}
