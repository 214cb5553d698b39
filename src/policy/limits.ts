/**
 * Bounds on what is read. Reading happens beside live connections, so the worst file, good or bad, must be done with in
 * less than 100 ms; between two files the event loop gets its turn. A CRD's CEL validation needs bounds too: its cost is
 * estimated from maxItems and maxLength.
 */
export const LIMITS = Object.freeze({
  /** Some two hundred ordinary policies. */
  fileBytes: 64 * 1024,
  /** Of all files together; each is read and compared at every poll. Less than etcd's 1.5 MiB for one object. */
  totalBytes: 1024 * 1024,
  files: 1000,
  /** Of all files together. */
  documents: 4000,
  documentsPerFile: 500,
  /** YAML's words and signs, line ends and runs of spaces. Parsing costs by these: one bracket costs what a long word does. */
  tokensPerFile: 25_000,
  /** After aliases are expanded. */
  valuesPerFile: 20_000,
  aliasesPerDocument: 100,
  depth: 32,
  rulesPerPolicy: 64,
  entriesPerRule: 64,
  valuesPerField: 256,
  /** Each is checked by CEL in a cluster, at an estimated cost of 40; all there can be of them may cost 10,000,000. */
  networksPerEntry: 50,
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
  /** A change that stood still waits no longer than this for another file that keeps changing. */
  waitMilliseconds: 500,
  /** A file that keeps changing is itself taken as it is after this long, though it may be half written. */
  patienceMilliseconds: 5000,
});
