/** The sum of a metric's series that have all of these labels, on a page in Prometheus's text format. */
export function sumOf(page: string, metric: string, labels: Readonly<Record<string, string>>): number {
  let sum = 0;
  for (const [, name, text = '', value] of page.matchAll(SERIES)) {
    if (name !== metric) continue;
    const has = new Map([...text.matchAll(LABEL)].map(([, label, content]) => [label, content]));
    if (Object.entries(labels).every(([label, content]) => has.get(label) === content)) sum += Number(value);
  }
  return sum;
}

const SERIES = /^(\w+)\{([^}]*)\} (\S+)/gm;
const LABEL = /(\w+)="([^"]*)"/g;
