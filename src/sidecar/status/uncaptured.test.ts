import { expect, test } from 'vitest';
import { parseUncaptured, uncapturedPackets } from './uncaptured.ts';

const SNMP = `Ip: Forwarding DefaultTTL InReceives
Ip: 1 64 900
Icmp: InMsgs InErrors InCsumErrors OutMsgs OutErrors
Icmp: 3 0 0 4 0
IcmpMsg: InType3 OutType3
IcmpMsg: 3 4
Tcp: RtoAlgorithm InSegs OutSegs
Tcp: 1 500 600
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors
Udp: 10 1 0 20 0
UdpLite: InDatagrams NoPorts InErrors OutDatagrams
UdpLite: 0 0 0 0
`;
const SNMP6 = `Ip6InReceives                   	77
Icmp6InMsgs                     	30
Icmp6OutMsgs                    	40
Udp6InDatagrams                 	100
Udp6OutDatagrams                	200
`;

test('UDP and ICMP of both families, nothing else', () => {
  expect(parseUncaptured(SNMP, SNMP6)).toEqual([
    { protocol: 'udp', flow: 'received', packets: 110 },
    { protocol: 'udp', flow: 'sent', packets: 220 },
    { protocol: 'icmp', flow: 'received', packets: 33 },
    { protocol: 'icmp', flow: 'sent', packets: 44 },
  ]);
  expect(parseUncaptured(SNMP, '').map(({ packets }) => packets)).toEqual([10, 20, 3, 4]);
});

test("this kernel's own counters are read", (context) => {
  if (process.platform !== 'linux') context.skip('needs Linux');
  const counts = uncapturedPackets() ?? [];
  expect(counts).toHaveLength(4);
  for (const { packets } of counts) expect(Number.isSafeInteger(packets)).toBe(true);
});
