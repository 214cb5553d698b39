import type { Fields, Log } from '#runtime';

/**
 * The log with the service's name on each line. A line that names it itself keeps its own: JSON with one key twice is
 * read differently by different readers (RFC 8259 4), which `Log.with` would write.
 */
export function serviceLog(log: Log, service: string): Log {
  return withDefaults(log, { service });
}

function withDefaults(log: Log, defaults: Fields): Log {
  return {
    debug: (message, fields) => log.debug(message, { ...defaults, ...fields }),
    info: (message, fields) => log.info(message, { ...defaults, ...fields }),
    warn: (message, fields) => log.warn(message, { ...defaults, ...fields }),
    error: (message, fields) => log.error(message, { ...defaults, ...fields }),
    with: (fields) => withDefaults(log, { ...defaults, ...fields }),
  };
}
