import type { AdminAct } from '../accounts/admins.ts'
import type { Device } from '../lib/devices.ts'
import type { Locale } from '../lib/locales.ts'
import type { Wording } from './layout.ts'
import { GERMAN } from './texts-de.ts'
import { ENGLISH } from './texts-en.ts'

/** The origin of a request; null means unknown. */
export interface Origin {
  readonly ip: string | null
  readonly device: Device | null
}

/** An account as admins see it; `email` is null once it is deleted. */
export interface Account {
  readonly id: number
  readonly email: string | null
}

/** The texts of one language. `shop` is the name of the shop; times are RFC 3339 and displayed in UTC. */
export interface Texts {
  verification(
    shop: string,
    of: { code: string; until: string; signedUpAt: string; from: Origin },
  ): Wording
  alreadyRegistered(shop: string, of: { link: string }): Wording
  sessionReplayed(shop: string, of: { endedAt: string; from: Origin }): Wording
  invitation(shop: string, of: { link: string; until: string }): Wording
  newDevice(shop: string, of: { at: string; from: Origin }): Wording
  reminder(
    shop: string,
    of: { signedUpAt: string; until: string; from: Origin; link: string },
  ): Wording
  passwordChanged(shop: string, of: { at: string; from: Origin }): Wording
  previousAddressPasswordChanged(
    shop: string,
    of: { at: string; until: string; link: string },
  ): Wording
  passwordReset(
    shop: string,
    of: {
      link: string
      until: string
      requestedAt: string
      /** Null if the service itself requested it. */
      from: Origin | null
      verifies: boolean
    },
  ): Wording
  accountDeleted(shop: string, of: { at: string; from: Origin }): Wording
  previousAddressAccountDeleted(shop: string, of: { at: string }): Wording
  emailCode(
    shop: string,
    of: { code: string; until: string; requestedAt: string; from: Origin },
  ): Wording
  emailTaken(shop: string, of: { requestedAt: string; from: Origin }): Wording
  emailChanged(shop: string, of: { at: string; until: string; from: Origin; link: string }): Wording
  emailConfirmed(shop: string, of: { at: string; from: Origin }): Wording
  emailUndone(shop: string, of: { at: string }): Wording
  adminAct(
    shop: string,
    of: {
      at: string
      act: AdminAct
      subject: Account
      /** Null for an operator. */
      actor: Account | null
    },
  ): Wording
  /** At most 160 GSM 03.38 characters; a longer text costs two messages. */
  phoneCode(shop: string, of: { code: string }): string
}

/** A language without texts does not compile. */
export const TEXTS: Readonly<Record<Locale, Texts>> = { en: ENGLISH, de: GERMAN }
