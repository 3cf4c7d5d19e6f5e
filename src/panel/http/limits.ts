/** The bounds of one client (threats §4 and C32). Times in milliseconds, sizes in bytes. */
export const limits = {
  /** The same for the handshake before it. */
  headersTimeout: 10_000,
  /** Covers head and body of one request. */
  requestTimeout: 30_000,
  /** How often those two are looked at: a client may have as much more. */
  checkingInterval: 5_000,
  keepAliveTimeout: 5_000,
  /** Nothing comes and nothing that was sent is read: after at most twice this it is hung up. Above `handlerTimeout`, as streamed pages say something every few seconds. */
  idleTimeout: 75_000,
  /** At which answers have to be taken, on the average since something waits; who takes nothing at all meets `idleTimeout` first. */
  leastRate: { bytesPerSecond: 2_000, graceMs: 60_000, everyMs: 5_000 },
  /** For the last answer to be read by a client that does not hang up itself. */
  lingering: 2_000,
  /** Answers that must wait for the machine end before this; streamed pages set their own. */
  handlerTimeout: 60_000,
  /** A file that comes or goes: who is too slow is hung up by the limits above, long before. */
  bytesTimeout: 12 * 3_600_000,
  maxRequestsPerSocket: 1_000,
  maxHeaderSize: 8 * 1024,
  /**
   * Of one uploaded file. The tenant's disk space is the bound that is meant; this one is for those without: a stream that never ends, and
   * files so large that they are better sent by SFTP, which goes on where it broke off.
   */
  uploadBody: 16 * 1024 ** 3,
  /** Of one form: each is a change of its own, and a person may make so many in a minute. */
  formFiles: 20,
  jsonBody: 256 * 1024,
  formBody: 64 * 1024,
  jsonDepth: 8,
  maxParamLength: 255,
  maxConnections: 2_000,
  connectionsPerAddress: 50,
  /** Sign-ins looked at: what a flood of them can take of the processor. The line is no longer than `maxConnections`. */
  signInsPerSecond: 50,
  /** How long SIGTERM waits for answers under way. */
  drain: 10_000,
} as const
