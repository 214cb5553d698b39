export interface Family {
  readonly type: string;
  readonly help: string;
  readonly unit: string | undefined;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * A strict reader of the Prometheus text format 0.0.4, with what OpenMetrics asks of units: throws at the first line
 * that a scraper could refuse (exposition formats, "Comments, help text, and type information" and "Basic info").
 */
export function parsePrometheusText(text: string): Map<string, Family> {
  const families = new Map<string, Family & { samples: Sample[] }>();
  let current: string | undefined;
  const seen = new Set<string>();
  if (!text.endsWith('\n')) throw new Error('the last line must end with a line feed');
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const [, keyword, family, rest] = /^# (HELP|UNIT|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword !== undefined && family !== undefined && rest !== undefined) {
      if (!NAME.test(family)) throw new Error(`not a metric name: ${family}`);
      if (keyword === 'HELP') {
        if (families.has(family)) throw new Error(`a second group for ${family}`);
        families.set(family, { type: 'untyped', help: rest, unit: undefined, samples: [] });
        current = family;
      }
      const entry = families.get(family);
      if (entry === undefined || current !== family) throw new Error(`${keyword} outside its group: ${line}`);
      if (keyword === 'UNIT' && !family.endsWith(`_${rest}`))
        throw new Error(`unit ${rest} is no suffix of ${family}`);
      if (keyword === 'UNIT') families.set(family, { ...entry, unit: rest });
      if (keyword === 'TYPE') families.set(family, { ...entry, type: rest });
      continue;
    }
    const sample = parseSample(line);
    const entry = current === undefined ? undefined : families.get(current);
    if (entry === undefined || current === undefined) throw new Error(`a sample before any HELP: ${line}`);
    const suffixes = entry.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    if (!suffixes.some((suffix) => sample.name === `${current}${suffix}`))
      throw new Error(`not of ${current}: ${line}`);
    const key = line.slice(0, line.lastIndexOf(' '));
    if (seen.has(key)) throw new Error(`a series twice: ${key}`);
    seen.add(key);
    entry.samples.push(sample);
  }
  return families;
}

function parseSample(line: string): Sample {
  const [, name, labels, value] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`not a sample: ${line}`);
  const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
  if (Number.isNaN(number)) throw new Error(`not a number: ${line}`);
  return { name, labels: parseLabels(labels ?? '', line), value: number };
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const match = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/.exec(rest);
    if (match?.[1] === undefined || match[2] === undefined) throw new Error(`not labels: ${line}`);
    if (match[1] in labels) throw new Error(`a label twice: ${line}`);
    labels[match[1]] = match[2].replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    rest = rest.slice(match[0].length);
  }
  return labels;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
