import type { RunTool, ToolResult } from '../tool.ts';

/** What a kernel and its tools do with rules, as far as capture needs it; each program can be told to fail. */
export class FakePacketFilters {
  /** Calls that change something, in their order. */
  readonly changes: string[] = [];
  /** By program: how it ends instead of doing anything; `change`: when it is to change something only. */
  readonly failing = new Map<string, 'always' | 'change' | 'missing' | 'stopped-after'>();
  /** What `iptables` is, as the alternatives of a distribution have it. */
  readonly iptables: 'nf_tables' | 'legacy';
  readonly #tables = new Map<string, Map<string, string[]>>();
  #nft: string | undefined;

  constructor(iptables: 'nf_tables' | 'legacy' = 'nf_tables') {
    this.iptables = iptables;
  }

  /** Everything that is loaded, by where it is: a text for each that has rules of ours. */
  get loaded(): Readonly<Record<string, string>> {
    const places = [...this.#tables.keys()].map((place) => [place, this.#save(place)] as const);
    return Object.fromEntries([
      ...(this.#nft === undefined ? [] : [['nft', this.#nft]]),
      ...places.filter(([, text]) => text.includes('SALLYPORT')),
    ]);
  }

  readonly run: RunTool = (program, args, input) => {
    const failing = this.failing.get(program);
    const changes = input !== '' && !args.includes('-c') && !args.includes('--test');
    if (failing === 'missing') return Promise.resolve({ kind: 'missing' });
    if (changes) this.changes.push(program);
    if (failing === 'always' || (failing === 'change' && changes)) return Promise.resolve(ended(1, '', 'no'));
    const output =
      program === 'nft'
        ? this.#runNft(args, input, changes)
        : this.#runIptables(program, args, input, changes);
    return Promise.resolve(
      failing === 'stopped-after' && changes ? ended(null, '', '') : ended(0, output, ''),
    );
  };

  #runNft(args: readonly string[], input: string, changes: boolean): string {
    if (changes) {
      const start = input.indexOf('table inet sallyport {');
      this.#nft = start < 0 ? undefined : input.slice(start);
    }
    if (args.includes('tables')) return this.#nft === undefined ? '' : 'table inet sallyport\n';
    return args.includes('table') ? (this.#nft ?? '') : '';
  }

  #runIptables(program: string, args: readonly string[], input: string, changes: boolean): string {
    const kind = program.includes('legacy') ? 'legacy' : this.iptables;
    const place = `${kind} ${program.startsWith('ip6') ? 'ipv6' : 'ipv4'}`;
    if (args.includes('--version')) return `${program} v1.8.9 (${kind})\n`;
    if (changes) this.#restore(place, input);
    return program.endsWith('-save') ? this.#save(place) : '';
  }

  /** iptables-restore --noflush: a chain that is named is emptied, but for the built-in ones. */
  #restore(place: string, input: string): void {
    const tables = this.#tables.get(place) ?? new Map<string, string[]>();
    this.#tables.set(place, tables);
    let table = '';
    for (const line of input.split('\n').filter((line) => line !== '' && line !== 'COMMIT')) {
      if (line.startsWith('*')) table = line.slice(1);
      const [verb = '', chain = '', ...rest] = line.split(' ');
      const key = `${table} ${line.startsWith(':') ? verb.slice(1) : chain}`;
      const rules = tables.get(key) ?? [];
      const rule = rest.join(' ');
      if (line.startsWith(':') || verb === '-F') tables.set(key, []);
      else if (verb === '-X') tables.delete(key);
      else if (verb === '-A') tables.set(key, [...rules, rule]);
      else if (verb === '-I') tables.set(key, [rule, ...rules]);
      else if (verb === '-D') {
        if (!rules.includes(rule)) throw new Error(`no such rule in ${key}: ${rule}`);
        tables.set(key, rules.toSpliced(rules.indexOf(rule), 1));
      }
    }
  }

  #save(place: string): string {
    const tables = this.#tables.get(place) ?? new Map<string, string[]>();
    return ['mangle', 'nat']
      .flatMap((table) => {
        const chains = [...tables]
          .filter(([key]) => key.startsWith(`${table} `))
          .toSorted(([a], [b]) => (a < b ? -1 : 1));
        const name = (key: string): string => key.slice(table.length + 1);
        return [
          `*${table}`,
          ...chains.map(([key]) => `:${name(key)} - [0:0]`),
          ...chains.flatMap(([key, rules]) => rules.map((rule) => `-A ${name(key)} ${rule}`)),
          'COMMIT',
        ];
      })
      .join('\n');
  }
}

function ended(code: number | null, stdout: string, stderr: string): ToolResult {
  return { kind: 'ended', code, stdout, stderr };
}
