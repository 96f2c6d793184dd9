import { useEffect, useMemo, useReducer } from 'react'
import { waitOf } from './problems.ts'

/** Whole seconds until a time (Unix milliseconds), down to 0. */
export function useSecondsUntil(endMs: number): number {
  const [, tick] = useReducer((ticks: number) => ticks + 1, 0)
  // By the clock, because browsers slow the timers of tabs in the background.
  const seconds = Math.max(0, Math.ceil((endMs - Date.now()) / 1_000))
  const isOver = seconds === 0
  useEffect(() => {
    if (isOver) return
    const timer = setInterval(tick, 1_000)
    return () => clearInterval(timer)
  }, [isOver, endMs])
  return seconds
}

/** Seconds until what was refused may be tried again. */
export function useWait(error: Error | null): number {
  const endMs = useMemo(() => Date.now() + waitOf(error) * 1_000, [error])
  return useSecondsUntil(endMs)
}
