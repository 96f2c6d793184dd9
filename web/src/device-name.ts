import { type Device, deviceOf } from '../../server/lib/devices.ts'

export interface DeviceWords {
  readonly on: (program: string, system: string) => string
  readonly app: string
  readonly unknown: string
}

export const DEVICE_EN: DeviceWords = {
  on: (program, system) => `${program} on ${system}`,
  app: 'App',
  unknown: 'Unknown device',
}

export const DEVICE_DE: DeviceWords = {
  on: (program, system) => `${program}, ${system}`,
  app: 'App',
  unknown: 'Unbekanntes Gerät',
}

const MAX_LENGTH = 60

/** Browser and system. What is not recognised is shown as it is, cut: a stranger's program may have sent it. */
export function deviceName(userAgent: string | null, words: DeviceWords): string {
  const device = deviceOf(userAgent)
  if (device !== null) return nameOfDevice(device, words)
  const letters = [...(userAgent ?? '').trim()]
  if (letters.length === 0) return words.unknown
  return letters.length > MAX_LENGTH
    ? `${letters.slice(0, MAX_LENGTH).join('')}…`
    : letters.join('')
}

/** A program that is no browser is an app. */
export function nameOfDevice({ program, system }: Device, { on, app }: DeviceWords): string {
  return system === null ? (program ?? app) : on(program ?? app, system)
}
