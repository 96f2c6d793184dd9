import { deviceOf } from '../../../server/lib/devices.ts'

interface Words {
  readonly on: (program: string, system: string) => string
  readonly app: string
  readonly unknown: string
}

const MAX_LENGTH = 60

/** Browser and system. What is not recognised is shown as it is, cut: it comes from a device of the reader. */
export function deviceName(userAgent: string | null, { on, app, unknown }: Words): string {
  const device = deviceOf(userAgent)
  if (device !== null) {
    const program = device.program ?? app
    return device.system === null ? program : on(program, device.system)
  }
  const letters = [...(userAgent ?? '').trim()]
  if (letters.length === 0) return unknown
  return letters.length > MAX_LENGTH
    ? `${letters.slice(0, MAX_LENGTH).join('')}…`
    : letters.join('')
}
