import { recordEvent } from '../audit/events.ts'
import { ConfigError, signingKeySettings } from '../settings/config.ts'
import type { Context } from '../context.ts'
import type { SigningAlgorithm, SigningKey } from '../keys/signing-keys.ts'
import { toIso } from '../lib/units.ts'
import { rotateSigningKeys } from '../keys/signing-key-file.ts'
import { type Command, readArgs, UsageError, withContext } from './terminal.ts'

export const rotateKeysCommand: Command = {
  usage: '',
  summary: 'add the next key to JWT_PRIVATE_KEY_FILE, published at once, in use in 30 minutes',
  run(args, environment) {
    if (readArgs(args, {}).positionals.length > 0) throw new UsageError('no argument is needed')
    const { algorithm, path } = signingKeySettings(environment)
    // The file may not be there yet, and nothing is signed here.
    const settings = { ...environment, ALGORITHM: '', JWT_PRIVATE_KEY_FILE: '' }
    return withContext(settings, async (ctx) => {
      const { keys, added } = rotate(path, algorithm, ctx.now())
      if (added !== undefined) await record(ctx, added)
      for (const key of keys) console.log(JSON.stringify(shown(key)))
      console.error(
        added === undefined
          ? 'The next key waits for its time; nothing was changed.'
          : 'Added the last of these; running services read it within 10 seconds.',
      )
      return 0
    })
  },
}

function rotate(path: string, algorithm: SigningAlgorithm, nowMs: number) {
  try {
    return rotateSigningKeys(path, algorithm, nowMs)
  } catch (error) {
    // A system error names its file; the others are about the setting.
    if (error instanceof Error && !('syscall' in error))
      throw new ConfigError([`JWT_PRIVATE_KEY_FILE ${error.message}`])
    throw error
  }
}

function record(ctx: Context, key: SigningKey): Promise<void> {
  const event = { event: 'key.rotated', changes: shown(key) } as const
  return ctx.transaction((tx) => recordEvent(tx, event, ctx.now()))
}

function shown({ kid, alg, signsFromMs }: SigningKey) {
  return { kid, alg, signs_from: toIso(signsFromMs) }
}
