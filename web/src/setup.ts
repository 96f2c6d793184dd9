import { EN, type Texts } from './texts-en.ts'
import { DE } from './texts-de.ts'

const root = document.querySelector<HTMLElement>('#root')
if (root === null) throw new Error('index.html has no #root')
const { adminMinLength = '', base = '', docs, minLength = '', shop = '', shopUrl } = root.dataset

export const ROOT = root
/** What the server wrote into index.html. */
export const SETUP = { adminMinLength, base, hasDocs: docs === 'on', minLength, shop, shopUrl }

/** The first of the reader’s languages that we speak. */
const LANGUAGE = navigator.languages.find((tag) => /^(en|de)\b/.test(tag)) ?? 'en'
document.documentElement.lang = LANGUAGE.slice(0, 2)

/** Texts in the reader’s language. */
export const inLanguage = <Texts>(en: Texts, de: Texts): Texts =>
  LANGUAGE.startsWith('de') ? de : en

export const T: Texts = inLanguage(EN, DE)

const NUMBER = new Intl.NumberFormat(LANGUAGE)
const TIME = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: 'medium', timeStyle: 'short' })
const DAY = new Intl.DateTimeFormat(LANGUAGE, { day: 'numeric', month: 'short', timeZone: 'UTC' })

export const numberOf = (count: number) => NUMBER.format(count)

/** A time of the API, where the reader is. */
export const timeOf = (iso: string) => TIME.format(new Date(iso))

/** A day of the API, `yyyy-mm-dd`, which is one in UTC. */
export const dayOf = (day: string) => DAY.format(new Date(day))
