/** A variable of the environment, as documentation and `--help` show it. */
export interface SidecarVariable {
  readonly name: string
  readonly meaning: string
}

/** Every variable that the sidecar reads. Those of OpenFaaS's watchdogs keep their names and meanings. */
export const sidecarVariables: readonly SidecarVariable[] = [
  { name: 'fprocess', meaning: 'program and arguments of the function; arguments after `--` win' },
  {
    name: 'mode',
    meaning: '`http`: the program is a server; `classic`, `streaming`, `serializing`: it is forked for every call',
  },
  { name: 'upstream_url', meaning: 'where the function listens; without a program, a server that somebody else runs' },
  { name: 'port', meaning: 'port for calls, default 8080' },
  { name: 'exec_timeout', meaning: 'longest time of a call, default `write_timeout`' },
  { name: 'read_timeout', meaning: 'longest time until a request has been read, default 5m; 0 is no limit' },
  { name: 'write_timeout', meaning: 'longest time of a call where `exec_timeout` says none; default no limit' },
  { name: 'max_inflight', meaning: 'most calls at a time, default 0: no limit' },
  {
    name: 'prefix_logs',
    meaning: 'whether lines of the function are logged with date, time and stream; default `true`',
  },
  { name: 'ready_path', meaning: 'path that answers 2xx when the function is ready; default: it accepts a connection' },
  { name: 'health_path', meaning: 'path that answers 2xx while the function is well; default none' },
  {
    name: 'healthcheck_interval',
    meaning:
      'how often a function that is ready is asked whether it still is, default 5s, at least 100 ms; a longer one than 1s is also the default of the quiet period',
  },
  { name: 'content_type', meaning: 'type of every answer of a forked program; default: that of the request' },
  {
    name: 'log_buffer_size',
    meaning: 'characters of the longest line of the function that is kept whole, 80 to 16777216, default 65536',
  },
  { name: 'OPENFAAS_NAME', meaning: 'name of the function' },
  { name: 'OPENFAAS_NAMESPACE', meaning: 'namespace of the function' },
  { name: 'PILOTLIGHT_FUNCTION', meaning: '`name.namespace` of the function; wins over the two above' },
  { name: 'PILOTLIGHT_GATEWAYS', meaning: 'base URLs of gateways to report to, comma-separated' },
  {
    name: 'PILOTLIGHT_INSTANCE_KEY_FILE',
    meaning: 'file with the key shared with the gateways; required with gateways',
  },
  { name: 'PILOTLIGHT_INSTANCE_KEY', meaning: 'the key itself' },
  {
    name: 'PILOTLIGHT_INSTANCE_SECRET',
    meaning:
      'instead of the key: what it yields for this function and `PILOTLIGHT_INSTANCE_ID`, where a function could read the key here',
  },
  {
    name: 'PILOTLIGHT_INSTANCE_TLS',
    meaning:
      'folder with `tls.crt`, `tls.key` and `ca.crt`: calls are taken over mutual TLS from gateways only; default none',
  },
  {
    name: 'PILOTLIGHT_INSTANCE_ID',
    meaning: 'name of this start of this instance; default: host name and a random part',
  },
  {
    name: 'PILOTLIGHT_INSTANCE_ADDRESS',
    meaning: 'IP address for gateways; default `POD_IP`, else the first that is not loopback, else 127.0.0.1',
  },
  { name: 'PILOTLIGHT_LISTEN_HOST', meaning: 'address to listen on with both ports; default all' },
  { name: 'PILOTLIGHT_ADMIN_PORT', meaning: 'port of health, metrics and load; default 8082' },
  {
    name: 'PILOTLIGHT_DRAIN_PATH',
    meaning: '`on` (default), or `off`: `/drain` on the admin port is not there, only signals make the instance leave',
  },
  {
    name: 'PILOTLIGHT_GRACE_PERIOD',
    meaning: 'longest time for what is under way when the instance leaves, default 30s',
  },
  {
    name: 'PILOTLIGHT_QUIET_PERIOD',
    meaning:
      'an instance that leaves waits until so long no caller other than a gateway has called; default 1s, or a longer healthcheck_interval',
  },
  { name: 'PILOTLIGHT_STREAM_POLICY', meaning: '`finish` keeps open streams up to the grace period, `cut` ends them' },
  { name: 'PILOTLIGHT_QUEUE_LENGTH', meaning: 'most calls that wait here for a slot, gateways aside; default 100' },
  { name: 'PILOTLIGHT_QUEUE_TIMEOUT', meaning: 'longest wait of one of them, default 10s' },
  { name: 'PILOTLIGHT_FUNCTION_METRICS', meaning: "path or URL of the function's own metrics; default none" },
  { name: 'PILOTLIGHT_PROCESS_RECORDS', meaning: 'folder where running processes are noted; default none' },
  { name: 'PILOTLIGHT_MAX_PROCESSES', meaning: 'most processes of a forked program at a time, default 256' },
  {
    name: 'PILOTLIGHT_START_TIMEOUT',
    meaning: 'longest time until a server that is started here is ready, before it is started again; default no limit',
  },
  {
    name: 'PILOTLIGHT_PARENT_PIPE',
    meaning:
      '`stdin`: the end of standard input does what SIGTERM does, because the parent process is gone; default `none`',
  },
  {
    name: 'PILOTLIGHT_FUNCTION_ENV',
    meaning: 'variables for the function alone, as a JSON object of texts; they win over those of the sidecar',
  },
  { name: 'PILOTLIGHT_ALLOW_REMOTE_UPSTREAM', meaning: '`true`: `upstream_url` may be on another machine' },
  {
    name: 'OTEL_TRACES_SAMPLER',
    meaning:
      'decides what a new trace context says: `always_on` (default), `always_off`, `traceidratio`, each also with `parentbased_`',
  },
  { name: 'OTEL_TRACES_SAMPLER_ARG', meaning: 'the ratio of `traceidratio`, 0 to 1' },
  { name: 'OTEL_SDK_DISABLED', meaning: '`true`: calls without trace context are given none' },
]
