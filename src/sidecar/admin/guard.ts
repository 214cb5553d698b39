import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../listen/endpoint.ts';

/**
 * Why a request to the admin port is turned away, or undefined. The port is open to this machine only, but a browser on
 * this machine runs foreign pages: those come with an Origin, a Sec-Fetch-Site, or (by a name that was made to resolve
 * to 127.0.0.1) a foreign Host.
 */
export function refusalOf(headers: IncomingHttpHeaders): string | undefined {
  const { host } = headers;
  if (host === undefined) return 'the request has no Host header';
  if (!isLoopback(hostName(host))) return `the Host header names ${JSON.stringify(host)}, not this machine`;
  if (headers.origin !== undefined) return 'a web page sent the request';
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'none') return 'a web page sent the request';
  return undefined;
}

/** RFC 9110 7.2: Host = uri-host [ ":" port ]; an IPv6 address stands in brackets. */
function hostName(host: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(host)?.[1] ?? host.replace(/:\d+$/, '');
}
