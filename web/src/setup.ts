import { EN, type Texts } from './texts-en.ts'
import { DE } from './texts-de.ts'

const root = document.querySelector<HTMLElement>('#root')
if (root === null) throw new Error('index.html has no #root')
const { base = '', docs, minLength = '', shop = '', shopUrl } = root.dataset

export const ROOT = root
/** What the server wrote into index.html. */
export const SETUP = { base, hasDocs: docs === 'on', minLength, shop, shopUrl }

const TEXTS: Readonly<Record<string, Texts>> = { en: EN, de: DE }
const language = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in TEXTS)
document.documentElement.lang = language ?? 'en'
/** The texts in the reader’s language. */
export const T = TEXTS[document.documentElement.lang] ?? EN
