/** One metric as it is exported, in prom-client's JSON form, so that a worker can send it to the primary. */
export interface Metric extends MetricDescription {
  readonly values: readonly Sample[]
}

/** What is promised of a metric. */
export interface MetricDescription {
  readonly name: `sticky_${string}`
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** How the values of several processes become the node's. */
  readonly aggregator: 'sum' | 'min' | 'max' | 'first'
}

/** One value of a metric. */
export interface Sample {
  readonly value: number
  readonly labels: Labels
  /** For a histogram's parts: the metric's name with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string
}

/** Bounded: pools, backends, statuses and our own words, never what a client chooses. */
export type Labels = Readonly<Record<string, string | number>>
