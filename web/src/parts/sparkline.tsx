interface Point {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly value: number
}

interface SparklineProps {
  readonly label: string
  readonly points: readonly Point[]
  /** The value at the upper edge; absent: a little above the highest. */
  readonly top?: number
  readonly words: (value: number) => string
}

const WIDTH = 600
const HEIGHT = 96
const PAD = 6

/** A figure over time. */
export function Sparkline({ label, points, top, words }: SparklineProps) {
  const highest = points.reduce((most, { value }) => Math.max(most, value), 0)
  const lowest = points.reduce((least, { value }) => Math.min(least, value), Number.POSITIVE_INFINITY)
  const from = points[0]?.at ?? 0
  const span = Math.max(1, (points.at(-1)?.at ?? 0) - from)
  const scale = top ?? Math.max(highest * 1.15, 1)
  const path = points.map(({ at, value }) => `${x((at - from) / span)},${y(value / scale)}`).join(' L')

  return (
    <div className="relative mt-2 h-24">
      <svg
        role="img"
        aria-label={points.length < 2 ? label : `${label}: from ${words(lowest)} to ${words(highest)}`}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        className="absolute inset-0 size-full"
      >
        {[0.25, 0.5, 0.75].map((share) => (
          <line
            key={share}
            x1="0"
            x2={WIDTH}
            y1={y(share)}
            y2={y(share)}
            className="stroke-line"
            strokeDasharray="2 6"
            vectorEffect="non-scaling-stroke"
          />
        ))}
        {points.length > 1 && (
          <>
            <path d={`M${x(0)},${HEIGHT} L${path} L${x(1)},${HEIGHT} Z`} className="fill-accent/10" />
            <path
              d={`M${path}`}
              className="fill-none stroke-accent"
              strokeWidth="1.75"
              strokeLinejoin="round"
              vectorEffect="non-scaling-stroke"
            />
          </>
        )}
      </svg>
      {points.length < 2 && (
        <p className="absolute inset-0 grid place-items-center text-ink-faint text-xs">
          The line begins with the next heartbeat
        </p>
      )}
    </div>
  )
}

const x = (share: number): string => (share * WIDTH).toFixed(1)
const y = (share: number): string => (HEIGHT - PAD - Math.min(1, share) * (HEIGHT - 2 * PAD)).toFixed(1)
