import type { Service } from './service.ts'

/** Six digits that are not the code. */
export function otherThan(code: string, by = 1): string {
  return String((Number(code) + by) % 1_000_000).padStart(6, '0')
}

/** Counted tries of an address, by purpose. */
export async function triesOf({ ctx }: Service, email: string): Promise<Record<string, number>> {
  const rows = await ctx.db
    .selectFrom('code_failures')
    .select(['purpose', 'times'])
    .where('email_canonical', '=', email)
    .execute()
  return Object.fromEntries(rows.map((row) => [row.purpose, JSON.parse(row.times).length]))
}

/**
 * The chi-square statistic of counts against equal shares, as a distance from its mean in standard
 * deviations: (X² − degrees) / √(2 · degrees). Beyond 6 is no accident.
 */
export function chiSquareDistance(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  const degrees = counts.length - 1
  return (statistic - degrees) / Math.sqrt(2 * degrees)
}

/** How often each part of the codes has each of its values: six digits, three pairs, two halves. */
export function partCounts(codes: readonly string[]): Map<string, number[]> {
  const parts = [
    ...[0, 1, 2, 3, 4, 5].map((start) => [start, 1] as const),
    ...[0, 2, 4].map((start) => [start, 2] as const),
    ...[0, 3].map((start) => [start, 3] as const),
  ]
  const counts = new Map(
    parts.map(([start, length]) => [
      `${start}+${length}`,
      Array.from<number>({ length: 10 ** length }).fill(0),
    ]),
  )
  for (const code of codes) {
    for (const [start, length] of parts) {
      const value = Number(code.slice(start, start + length))
      const of = counts.get(`${start}+${length}`)
      if (of) of[value] = (of[value] ?? 0) + 1
    }
  }
  return counts
}
