import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'

import type { Metric, MetricDescription, Sample } from './metric.ts'

/** A metric with its values of this moment. */
export function metric(description: MetricDescription, values: readonly Sample[]): Metric {
  return { ...description, values }
}

/** A metric of one value, without labels. */
export function single(description: MetricDescription, value: number): Metric {
  return metric(description, [{ labels: {}, value }])
}

/** The metrics of several processes, or of one at several times, as one set. */
export async function merged(parts: readonly (readonly object[])[]): Promise<object[]> {
  return AggregatorRegistry.aggregate([...parts]).getMetricsAsJSON()
}

/** Metrics as they are read by Prometheus. */
export interface Exposition {
  readonly contentType: string
  readonly text: string
}

/** The metrics of several processes as one text in Prometheus' format. */
export async function exposition(parts: readonly (readonly object[])[]): Promise<Exposition> {
  const registry = AggregatorRegistry.aggregate([...parts])
  return { contentType: registry.contentType, text: await registry.metrics() }
}

/** Only what counts up: what is left of a process that ended, so that no total ever falls. */
export function countersOf(metrics: readonly object[]): object[] {
  return metrics.filter((candidate) => ['counter', 'histogram'].includes((candidate as MetricDescription).type))
}

const ofProcess = new Registry()
let watched = false

/** Begins to watch this process; CPU time counts from now on. */
export function watchProcess(): void {
  if (!watched) collectDefaultMetrics({ register: ofProcess })
  watched = true
}

/** prom-client's metrics of this process: CPU, memory, event loop, collections. */
export async function processMetrics(): Promise<object[]> {
  return ofProcess.getMetricsAsJSON()
}
