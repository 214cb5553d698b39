import { readFileSync } from 'node:fs';

/** Packets that passed this network namespace without the sidecar, since it was made. */
export interface UncapturedPackets {
  readonly protocol: 'udp' | 'icmp';
  readonly flow: 'received' | 'sent';
  readonly packets: number;
}

/** Of both families together; undefined where the kernel doesn't tell. Needs no capability. */
export function uncapturedPackets(): readonly UncapturedPackets[] | undefined {
  try {
    return parseUncaptured(readFileSync('/proc/net/snmp', 'utf8'), optional('/proc/net/snmp6'));
  } catch {
    return undefined; // Not Linux. It only counts; what it counts passes all the same.
  }
}

/**
 * proc_pid_net(5): snmp has a line of names and a line of numbers for each protocol, snmp6 a name and a number a line.
 * RFC 4113 and RFC 4293 say what they count.
 */
export function parseUncaptured(snmp: string, snmp6: string): readonly UncapturedPackets[] {
  const counters = new Map<string, number>();
  const lines = snmp.split('\n').map((line) => line.trim().split(/\s+/));
  for (const [index, [protocol = '', ...names]] of lines.entries()) {
    const [again, ...numbers] = lines[index + 1] ?? [];
    if (again !== protocol) continue;
    for (const [column, name] of names.entries()) counters.set(`${protocol}${name}`, Number(numbers[column]));
  }
  for (const line of snmp6.split('\n')) {
    const [name = '', number] = line.trim().split(/\s+/);
    counters.set(name, Number(number));
  }
  return COUNTED.map(({ protocol, flow, names }) => {
    const packets = names.reduce((sum, name) => sum + (counters.get(name) ?? 0), 0);
    return { protocol, flow, packets };
  });
}

const COUNTED = [
  { protocol: 'udp', flow: 'received', names: ['Udp:InDatagrams', 'Udp6InDatagrams'] },
  { protocol: 'udp', flow: 'sent', names: ['Udp:OutDatagrams', 'Udp6OutDatagrams'] },
  { protocol: 'icmp', flow: 'received', names: ['Icmp:InMsgs', 'Icmp6InMsgs'] },
  { protocol: 'icmp', flow: 'sent', names: ['Icmp:OutMsgs', 'Icmp6OutMsgs'] },
] as const;

/** A kernel without IPv6 has no such file. */
function optional(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
