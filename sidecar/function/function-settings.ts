/** What the function's part of the sidecar is told. The settings of the sidecar (sidecar/settings) fill it. Durations in milliseconds. */
export interface FunctionSettings {
  /**
   * `http`: the function is a server, started here when there is a command, else run by somebody else at `upstream`.
   * `classic`: a program that is forked for each call.
   */
  readonly mode: 'http' | 'classic'
  /** Program and arguments: what follows `--`, or `fprocess` read by `parseCommand`. Empty when somebody else runs the server. */
  readonly command: readonly string[]
  /**
   * `upstream_url`: where the server listens; its path is put before that of every call. Undefined lets a server that is started here
   * have a free port of loopback.
   */
  readonly upstream: URL | undefined
  /** Whether `upstream` may be on another host than this one. */
  readonly allowsRemoteUpstream: boolean
  /** The whole environment of the function, see `functionEnvironment`; what belongs to one start or one call is added. */
  readonly environment: Readonly<Record<string, string>>
  /** Working directory; made when it is missing. */
  readonly directory: string
  /**
   * Folder in which running processes are recorded, for whoever cleans up after a sidecar that was killed; undefined records nothing.
   * The sidecar itself kills nothing by these records: the folder may be shared.
   */
  readonly processRecords: string | undefined
  /** Most processes at a time, of a classic function; beyond it calls are answered 429. */
  readonly maxProcesses: number
  /** Longest time until the body of a call has been read by a classic function; 0 is no limit. `read_timeout`. */
  readonly readTimeoutMs: number
  /** How long a server that was started here may take until it is ready, before it is killed and started again; 0 is no limit. */
  readonly startTimeoutMs: number
  /** Path that answers 2xx while the function takes calls; empty asks for a connection only. `ready_path`. */
  readonly readyPath: string
  /** Path that answers 2xx while the function is well; asked like `readyPath`. `health_path`. */
  readonly healthPath: string
  /** Pause between two looks at a function that is ready. `healthcheck_interval`. */
  readonly healthIntervalMs: number
  /** Whether lines of the function are written with date, time and stream. `prefix_logs`, default true. */
  readonly prefixLogs: boolean
  /** Characters of the longest line that is kept whole; longer ones are cut into several. `log_buffer_size`. */
  readonly logLineLength: number
  /** Type of every answer of a classic function; empty repeats the request's. `content_type`. */
  readonly contentType: string
}
