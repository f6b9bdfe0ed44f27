/** The figures of one heartbeat. */
export interface MetricSample {
  /** Milliseconds since the epoch, by the server's clock. */
  readonly at: number
  /** 0 to 1. */
  readonly cpu: number
  readonly memory: number
  /** Since the machine started. */
  readonly receivedBytes: number
  readonly sentBytes: number
}

/** One hour of heartbeats. */
const MOST = 360

/** A heartbeat is remembered once, however often it is read. */
export function appendSample(samples: readonly MetricSample[], sample: MetricSample): readonly MetricSample[] {
  const last = samples.at(-1)
  if (last && sample.at <= last.at) return samples
  return [...samples, sample].slice(-MOST)
}

/** Bytes per second between heartbeats; a machine that restarted counts from zero again. */
export const ratesOf = (samples: readonly MetricSample[], key: 'receivedBytes' | 'sentBytes') =>
  samples.slice(1).map((sample, index) => {
    const before = samples[index]!
    const seconds = (sample.at - before.at) / 1_000
    return { at: sample.at, value: Math.max(0, sample[key] - before[key]) / seconds }
  })
