/**
 * The two messages of the gRPC health protocol (grpc.health.v1.Health/Check) with gRPC's length before them: a byte that
 * says whether it is compressed, and four of length.
 */
const PREFIX_BYTES = 5;

/** HealthCheckRequest: field 1, the service's name. */
export function encodeHealthRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8');
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** HealthCheckResponse: field 1, the status; absent it is UNKNOWN. Undefined: not such a message, or a compressed one. */
export function decodeHealthStatus(bytes: Buffer): number | undefined {
  if (bytes.length < PREFIX_BYTES || bytes[0] !== 0) return undefined;
  const message = bytes.subarray(PREFIX_BYTES);
  if (message.length !== bytes.readUInt32BE(1)) return undefined;
  if (message.length === 0) return 0;
  const [tag, status] = message;
  return message.length === 2 && tag === 0x08 ? status : undefined;
}

/** ServingStatus.SERVING. */
export const SERVING = 1;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
  return Buffer.from([...bytes, left]);
}
