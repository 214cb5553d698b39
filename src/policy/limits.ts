/** Bounds on what is read. A CRD's CEL validation needs bounds too: its cost is estimated from maxItems and maxLength. */
export const LIMITS = Object.freeze({
  /** A Kubernetes object may not be larger than etcd's 1.5 MiB request; a file of policies has no need to be. */
  fileBytes: 1024 * 1024,
  /** Of all files together; each is read again at every poll. */
  totalBytes: 16 * 1024 * 1024,
  files: 1000,
  documentsPerFile: 1000,
  /** Of one YAML document, after aliases are expanded. */
  nodesPerDocument: 20_000,
  aliasesPerDocument: 100,
  depth: 32,
  rulesPerPolicy: 64,
  entriesPerRule: 64,
  valuesPerField: 256,
  /** Per file: a file in another format would give thousands. */
  problemsPerFile: 50,
});

/** How fast a change is seen. A reload must be over within a second, also when no event arrives and only the poll sees it. */
export const RELOAD = Object.freeze({
  /** Files are read this often and compared by content, since a file system may lose or never send an event. */
  pollMilliseconds: 400,
  /** A file that is still being written passes through valid prefixes of itself: content counts once it stayed equal this long. */
  settleMilliseconds: 120,
  /** After an event, so that a busy neighbour in the directory costs a bounded number of readings. */
  debounceMilliseconds: 30,
});
