import type { MetricDescription } from './metric.ts'

type MetricKey =
  | 'requests'
  | 'requestDuration'
  | 'upstreamDuration'
  | 'requestBytes'
  | 'responseBytes'
  | 'decisions'
  | 'sessionsRefused'
  | 'sessionMoves'
  | 'retries'
  | 'retriesDenied'
  | 'queueLength'
  | 'queueWait'
  | 'refusals'
  | 'clientConnections'
  | 'connectionsRefused'
  | 'backendConnections'
  | 'backendTlsFailures'
  | 'backendUp'
  | 'backendChecks'
  | 'backendEjections'
  | 'poolPanic'
  | 'backendState'
  | 'sessions'
  | 'recoveryRows'
  | 'storeUp'
  | 'storeRoleUp'
  | 'storeLate'
  | 'storeDegraded'
  | 'storeWritesRefused'
  | 'storeWarnings'
  | 'scriptErrors'
  | 'workers'
  | 'configReloads'
  | 'configLastReload'
  | 'workerRestarts'
  | 'buildInfo'

/** Every metric of ours; docs/metrics.md lists them by this table. Those of processes (`process_*`, `nodejs_*`) are prom-client's. */
export const catalogue: Readonly<Record<MetricKey, MetricDescription>> = {
  requests: {
    name: 'sticky_requests_total',
    type: 'counter',
    help: 'Exchanges ended, by the status sent to the client (0: none). Without pool: no route. Without backend: refused before one.',
    labels: ['pool', 'backend', 'code'],
    aggregator: 'sum',
  },
  requestDuration: {
    name: 'sticky_request_duration_seconds',
    type: 'histogram',
    help: 'From the first byte of a request to the end of its response; tunnels excepted.',
    labels: ['pool'],
    aggregator: 'sum',
  },
  upstreamDuration: {
    name: 'sticky_upstream_duration_seconds',
    type: 'histogram',
    help: "From dispatch to the head of the backend's response.",
    labels: ['pool', 'backend'],
    aggregator: 'sum',
  },
  requestBytes: {
    name: 'sticky_request_body_bytes_total',
    type: 'counter',
    help: 'Bytes of request bodies received from clients.',
    labels: ['pool', 'backend'],
    aggregator: 'sum',
  },
  responseBytes: {
    name: 'sticky_response_body_bytes_total',
    type: 'counter',
    help: 'Bytes of response bodies sent to clients.',
    labels: ['pool', 'backend'],
    aggregator: 'sum',
  },
  decisions: {
    name: 'sticky_session_decisions_total',
    type: 'counter',
    help: 'What affinity did with exchanges that reached a backend, or found all full: hit, new, learned, rebound, temporary, expired_idle, expired_absolute, invalid, ignored, ended, full, none.',
    labels: ['pool', 'result'],
    aggregator: 'sum',
  },
  sessionsRefused: {
    name: 'sticky_sessions_refused_total',
    type: 'counter',
    help: 'Sessions that were not begun in the store, their exchanges served all the same: client-limit (newPerClient), pool-limit (maxSessions).',
    labels: ['pool', 'reason'],
    aggregator: 'sum',
  },
  sessionMoves: {
    name: 'sticky_session_moves_total',
    type: 'counter',
    help: 'Sessions given another home: away (their home could not serve), operator (sessions move), drain (backends drain --then move).',
    labels: ['pool', 'reason'],
    aggregator: 'sum',
  },
  retries: {
    name: 'sticky_retries_total',
    type: 'counter',
    help: 'Attempts after the first: on another backend, or over a fresh connection to the same one.',
    labels: ['pool'],
    aggregator: 'sum',
  },
  retriesDenied: {
    name: 'sticky_retry_budget_exhausted_total',
    type: 'counter',
    help: 'Failures that were answered since too many requests had been sent again of late (retry.budget).',
    labels: ['pool'],
    aggregator: 'sum',
  },
  queueLength: {
    name: 'sticky_queue_length',
    type: 'gauge',
    help: 'Requests that wait for room, or for the home of their session.',
    labels: ['pool'],
    aggregator: 'sum',
  },
  queueWait: {
    name: 'sticky_queue_wait_seconds',
    type: 'histogram',
    help: 'How long those requests waited that did.',
    labels: ['pool'],
    aggregator: 'sum',
  },
  refusals: {
    name: 'sticky_refusals_total',
    type: 'counter',
    help: "Exchanges we answered ourselves or cut, by the access log's refusal code.",
    labels: ['code'],
    aggregator: 'sum',
  },
  clientConnections: {
    name: 'sticky_client_connections',
    type: 'gauge',
    help: 'Open client connections of this node.',
    labels: [],
    aggregator: 'sum',
  },
  connectionsRefused: {
    name: 'sticky_client_connections_refused_total',
    type: 'counter',
    help: 'Connections of clients closed before a request: limit (limits.connections), client-limit (limits.connectionsPerClient), descriptors (the process has no more), handshake (no TLS was agreed on).',
    labels: ['reason'],
    aggregator: 'sum',
  },
  backendTlsFailures: {
    name: 'sticky_backend_tls_failures_total',
    type: 'counter',
    help: 'Connections to a backend that were not made since TLS failed: nobody trusted vouches for its certificate, mostly. The log has the reason.',
    labels: ['pool', 'backend'],
    aggregator: 'sum',
  },
  backendConnections: {
    name: 'sticky_backend_connections',
    type: 'gauge',
    help: 'Exchanges in flight, of this node (scope="node") and of all (scope="cluster": the same on every node, aggregate with max).',
    labels: ['pool', 'backend', 'scope'],
    aggregator: 'sum',
  },
  backendUp: {
    name: 'sticky_backend_up',
    type: 'gauge',
    help: '1 while some worker of this node sends exchanges to the backend, 0 while health checks find it unwell or all workers have ejected it.',
    labels: ['pool', 'backend'],
    aggregator: 'max',
  },
  backendChecks: {
    name: 'sticky_backend_checks_total',
    type: 'counter',
    help: 'Health checks that this node made: pass, fail.',
    labels: ['pool', 'backend', 'result'],
    aggregator: 'sum',
  },
  backendEjections: {
    name: 'sticky_backend_ejections_total',
    type: 'counter',
    help: 'Times a worker put a backend out for its failures; longer pauses after vain probes are not counted.',
    labels: ['pool', 'backend'],
    aggregator: 'sum',
  },
  poolPanic: {
    name: 'sticky_pool_panic',
    type: 'gauge',
    help: '1 while some worker of this node ignores health since too few backends are well (panicBelow). Absent until that happens.',
    labels: ['pool'],
    aggregator: 'max',
  },
  backendState: {
    name: 'sticky_backend_state',
    type: 'gauge',
    help: '1 for the state some worker of this node sees the backend in (ready, drain, maint, down), 0 for the others.',
    labels: ['pool', 'backend', 'state'],
    aggregator: 'max',
  },
  sessions: {
    name: 'sticky_sessions',
    type: 'gauge',
    help: 'Live sessions of the cluster: the same on every node, aggregate with max. Absent while the store is away.',
    labels: ['pool', 'backend'],
    aggregator: 'max',
  },
  scriptErrors: {
    name: 'sticky_script_errors_total',
    type: 'counter',
    help: 'Hooks of scripts whose exchange went on without them: error (thrown), timeout, busy (no thread was free); load: new versions that could not be loaded.',
    labels: ['pool', 'kind'],
    aggregator: 'sum',
  },
  recoveryRows: {
    name: 'sticky_recovery_rows',
    type: 'gauge',
    help: "Values of applications' cookies by which sessions can be found again (recoverBy): the same on every node, aggregate with max.",
    labels: ['pool'],
    aggregator: 'max',
  },
  storeUp: {
    name: 'sticky_store_up',
    type: 'gauge',
    help: '1 while every process of this node reaches the store.',
    labels: [],
    aggregator: 'min',
  },
  storeRoleUp: {
    name: 'sticky_store_role_up',
    type: 'gauge',
    help: '1 while every process of this node has a way to the store that answers in time: requests (what exchanges wait for), upkeep (heartbeats, lists), changes (the feed of changed sessions).',
    labels: ['role'],
    aggregator: 'min',
  },
  storeLate: {
    name: 'sticky_store_late_total',
    type: 'counter',
    help: 'Answers of the store that did not come in time, for requests within store.budget; after one nobody waits until the store answers a probe in time.',
    labels: ['role'],
    aggregator: 'sum',
  },
  storeDegraded: {
    name: 'sticky_store_degraded_seconds_total',
    type: 'counter',
    help: 'How long the store was away, for the process of this node that missed it most.',
    labels: ['role'],
    aggregator: 'max',
  },
  storeWritesRefused: {
    name: 'sticky_store_writes_refused_total',
    type: 'counter',
    help: 'Writes that the store refused while it answered: it is full, cannot save, or is no master.',
    labels: [],
    aggregator: 'sum',
  },
  storeWarnings: {
    name: 'sticky_store_warnings',
    type: 'gauge',
    help: 'What the log warned of in the set-up of the store: eviction, persistence, ACL rights that are missing or too wide.',
    labels: [],
    aggregator: 'max',
  },
  workers: {
    name: 'sticky_workers',
    type: 'gauge',
    help: 'Workers that serve.',
    labels: [],
    aggregator: 'sum',
  },
  workerRestarts: {
    name: 'sticky_worker_restarts_total',
    type: 'counter',
    help: 'Workers started again after they ended by themselves.',
    labels: [],
    aggregator: 'sum',
  },
  configReloads: {
    name: 'sticky_config_reloads_total',
    type: 'counter',
    help: 'Times the configuration was read anew: success, also where nothing had changed; failure: refused, the old one stays.',
    labels: ['result'],
    aggregator: 'sum',
  },
  configLastReload: {
    name: 'sticky_config_last_reload_success',
    type: 'gauge',
    help: '1 unless the last of them was refused.',
    labels: [],
    aggregator: 'min',
  },
  buildInfo: {
    name: 'sticky_build_info',
    type: 'gauge',
    help: 'Always 1.',
    labels: ['version', 'node_version'],
    aggregator: 'first',
  },
}
