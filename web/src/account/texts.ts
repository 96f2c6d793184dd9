import { inLanguage } from '../setup.ts'
import { DE } from './texts-de.ts'
import { EN, type Texts } from './texts-en.ts'

export const A: Texts = inLanguage(EN, DE)
