import { type Setting, SETTINGS } from './settings.ts'

/** A setting as admins see it. */
export interface ShownSetting {
  readonly name: string
  /** As in `.env`; null if there is none, or it is hidden. */
  readonly value: string | null
  /** False where the default is in force. */
  readonly isSet: boolean
  readonly isHidden: boolean
  readonly default: string | null
  readonly unit: string | null
  readonly description: string
}

interface Read {
  readonly values: Readonly<Record<string, unknown>>
  /** The texts that were set, by name. */
  readonly texts: ReadonlyMap<string, string>
  /** What follows from several settings, or from the machine. */
  readonly derived: Readonly<Record<string, unknown>>
}

/**
 * Every setting, without the text of any that is not known to be harmless: a new setting is hidden unless it
 * has a list or a range of allowed values, or says `shown`.
 */
export function showSettings({ values, texts, derived }: Read): readonly ShownSetting[] {
  return Object.entries<Setting<unknown>>(SETTINGS).map(([name, setting]) => {
    const isHidden = !isShown(setting)
    const text = plainText(derived[name] ?? values[name]) ?? texts.get(name)
    return {
      name,
      value: isHidden ? null : (text ?? null),
      isSet: texts.has(name),
      isHidden,
      default: setting.defaultText ?? plainText(setting.default) ?? null,
      unit: setting.unit ?? null,
      // Its links lead to other pages of docs/.
      description: setting.description.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1'),
    }
  })
}

/** As people would write it into `.env`; undefined where a value is no plain one. */
export function plainText(value: unknown): string | undefined {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function isShown({ secret, shown, parse }: Setting<unknown>): boolean {
  return secret !== true && (shown === true || parse.allowed !== undefined)
}
