import type { Labels, MetricDescription, Sample } from './metric.ts'

/** Upper bounds of every duration histogram's buckets, in seconds. */
const durationBuckets: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]

const bounds = Float64Array.from(durationBuckets, (seconds) => seconds * 1000)

/** A histogram of durations that costs an exchange a few comparisons. */
export class DurationCounts {
  readonly #counts = new Float64Array(bounds.length + 1)
  readonly #sum = new Float64Array(1)

  add(milliseconds: number): void {
    let bucket = 0
    while (bucket < bounds.length && milliseconds > bounds[bucket]!) bucket++
    this.#counts[bucket]! += 1
    this.#sum[0]! += milliseconds
  }

  /** As Prometheus wants it: cumulative, in seconds; nothing at all before the first duration. */
  samples(metric: MetricDescription, labels: Labels): Sample[] {
    let total = 0
    const buckets = Array.from(this.#counts, (count, bucket) => {
      total += count
      const le = durationBuckets[bucket] ?? '+Inf'
      return { metricName: `${metric.name}_bucket`, labels: { ...labels, le }, value: total }
    })
    if (total === 0) return []
    return [
      ...buckets,
      { metricName: `${metric.name}_sum`, labels, value: this.#sum[0]! / 1000 },
      { metricName: `${metric.name}_count`, labels, value: total },
    ]
  }
}
