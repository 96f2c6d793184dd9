import { useLayoutEffect, useRef, useState } from 'react'
import { numberOf } from '../setup.ts'

/** Of one day; a `isLeast` one was not counted to its end. */
export interface Point {
  readonly count: number
  readonly isLeast: boolean
}

export interface Series {
  readonly name: string
  /** One for each day. */
  readonly points: readonly Point[]
}

const [HEIGHT_MIN, HEIGHT_MAX] = [260, 420]
const [TOP, RIGHT, BOTTOM, LEFT] = [12, 28, 28, 48]
const TICKS_MAX = 5
const LABEL_WIDTH = 64

/** Told apart by colour, dash and mark, in this order. */
const MARKS = ['M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0', 'M-4,-4h8v8h-8z', 'M0,-5L5,4H-5z'] as const

/** A line for each series over the same days. Its text is as large as that around it, whatever its width. */
export function Plot({
  label,
  days,
  series,
}: {
  label: string
  days: readonly string[]
  series: readonly Series[]
}) {
  const frame = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0))
    if (frame.current !== null) observer.observe(frame.current)
    return () => observer.disconnect()
  }, [])

  const ticks = ticksUpTo(Math.max(...series.flatMap(({ points }) => points.map(countOf))))
  const top = ticks.at(-1) ?? 1
  const height = Math.min(HEIGHT_MAX, Math.max(HEIGHT_MIN, width * 0.7))
  const dayWidth = (width - LEFT - RIGHT) / (days.length - 1)
  const x = (day: number) => LEFT + day * dayWidth
  const y = (count: number) => height - BOTTOM - (count / top) * (height - TOP - BOTTOM)
  const each = Math.ceil(LABEL_WIDTH / dayWidth)
  return (
    <figure className="plot">
      <div ref={frame}>
        {width > 0 && (
          <svg role="img" aria-label={label} width={width} height={height}>
            {ticks.map((tick) => (
              <g key={tick}>
                <line className="grid" x1={LEFT} x2={width - RIGHT} y1={y(tick)} y2={y(tick)} />
                <text x={LEFT - 8} y={y(tick)} dominantBaseline="middle" textAnchor="end">
                  {numberOf(tick)}
                </text>
              </g>
            ))}
            {days.map((day, n) =>
              // The current day always has its name.
              (days.length - 1 - n) % each === 0 ? (
                <text key={day} x={x(n)} y={height - 6} textAnchor="middle">
                  {day}
                </text>
              ) : null,
            )}
            {series.map(({ name, points }, at) => (
              <g key={name} className={`series-${at}`}>
                <polyline points={points.map(({ count }, n) => `${x(n)},${y(count)}`).join(' ')} />
                {points.map(({ count, isLeast }, n) => (
                  <path
                    key={days[n]}
                    className={isLeast ? 'hollow' : 'mark'}
                    d={MARKS[at]}
                    transform={`translate(${x(n)} ${y(count)})`}
                  />
                ))}
              </g>
            ))}
          </svg>
        )}
      </div>
      <figcaption>
        {series.map(({ name }, at) => (
          <span key={name}>
            <svg aria-hidden width={36} height={12} className={`series-${at}`}>
              <polyline points="0,6 36,6" />
              <path className="mark" d={MARKS[at]} transform="translate(18 6)" />
            </svg>
            {name}
          </span>
        ))}
      </figcaption>
    </figure>
  )
}

const countOf = ({ count }: Point) => count

/** Round numbers from 0 to at least `max`. */
function ticksUpTo(max: number): number[] {
  const least = Math.max(1, max / TICKS_MAX)
  const power = 10 ** Math.floor(Math.log10(least))
  const step = power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10)
  return Array.from({ length: Math.max(1, Math.ceil(max / step)) + 1 }, (_, n) => n * step)
}
