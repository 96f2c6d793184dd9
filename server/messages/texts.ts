import type { Device } from '../lib/devices.ts'
import type { Locale } from '../lib/locales.ts'
import type { Wording } from './layout.ts'
import { GERMAN } from './texts-de.ts'
import { ENGLISH } from './texts-en.ts'

/** Where something came from; null: not known. */
export interface Origin {
  readonly ip: string | null
  readonly device: Device | null
}

/** Everything that one language says. Times come as RFC 3339 and are told in UTC. */
export interface Texts {
  verification(of: { code: string; until: string; signedUpAt: string; from: Origin }): Wording
  alreadyRegistered(of: { link: string }): Wording
  sessionReplayed(of: { endedAt: string; from: Origin }): Wording
  newDevice(of: { at: string; from: Origin }): Wording
  reminder(of: { signedUpAt: string; until: string; from: Origin; link: string }): Wording
  passwordChanged(of: { at: string; from: Origin }): Wording
  leftPasswordChanged(of: { at: string; until: string; link: string }): Wording
  passwordReset(of: {
    link: string
    until: string
    requestedAt: string
    /** Null: the service itself asked. */
    from: Origin | null
    verifies: boolean
  }): Wording
  accountDeleted(of: { at: string; from: Origin }): Wording
  leftAccountDeleted(of: { at: string }): Wording
  emailCode(of: { code: string; until: string; requestedAt: string; from: Origin }): Wording
  emailTaken(of: { requestedAt: string; from: Origin }): Wording
  emailChanged(of: { at: string; until: string; from: Origin; link: string }): Wording
  emailConfirmed(of: { at: string; from: Origin }): Wording
  emailUndone(of: { at: string }): Wording
  /** At most 160 characters of GSM 03.38, or it costs two messages. */
  phoneCode(of: { code: string }): string
}

/** A language without its texts does not compile. */
export const TEXTS: Readonly<Record<Locale, Texts>> = { en: ENGLISH, de: GERMAN }
