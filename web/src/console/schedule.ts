/** When a cron expression runs: the commonest ones, which can be said in a few words, and all others. */
export type Schedule =
  | { readonly every: 'seconds' }
  | { readonly every: 'hours'; readonly minute: string }
  /** `time` is `hh:mm`, in UTC. */
  | { readonly every: 'days'; readonly time: string }
  | { readonly every: 'other' }

export function readSchedule(cron: string): Schedule {
  const fields = cron.trim().split(/\s+/)
  // With six fields, the first is seconds.
  const [second, minute = '', hour = '', ...rest] = fields.length === 6 ? fields : ['0', ...fields]
  if (fields.every((field) => field === '*') && fields.length === 6) return { every: 'seconds' }
  const isDaily = rest.length === 3 && rest.every((field) => field === '*')
  if (second !== '0' || !isDaily || !/^\d+$/.test(minute)) return { every: 'other' }
  if (hour === '*') return { every: 'hours', minute }
  if (!/^\d+$/.test(hour)) return { every: 'other' }
  return { every: 'days', time: [hour, minute].map((part) => part.padStart(2, '0')).join(':') }
}
