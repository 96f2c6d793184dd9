import { ConfigError, signingKeySettings } from '../settings/config.ts'
import type { Context } from '../context.ts'
import type { SigningAlgorithm, SigningKey } from '../keys/signing-keys.ts'
import { toIso } from '../lib/units.ts'
import { rotateSigningKeys } from '../keys/signing-key-file.ts'
import { assertNoArguments, type Command, withContext } from './terminal.ts'
import { commit, NO_CAUSE } from '../accounts/write.ts'

export const rotateKeysCommand: Command = {
  usage: '',
  summary:
    'add the next signing key to JWT_PRIVATE_KEY_FILE; it is published immediately and used after 30 minutes',
  run(args, environment) {
    assertNoArguments(args)
    const { algorithm, path } = signingKeySettings(environment)
    // The key file may not exist yet, and this command signs nothing.
    const settings = { ...environment, ALGORITHM: '', JWT_PRIVATE_KEY_FILE: '' }
    return withContext(settings, async (ctx) => {
      const { keys, added } = rotate(path, algorithm, ctx.now())
      if (added !== undefined) await record(ctx, added)
      for (const key of keys) console.log(JSON.stringify(toOutput(key)))
      console.error(
        added === undefined
          ? 'The next key is already published but not in use yet; nothing was changed.'
          : 'Added the last of these keys. Running services load it within 10 seconds.',
      )
      return 0
    })
  },
}

function rotate(path: string, algorithm: SigningAlgorithm, nowMs: number) {
  try {
    return rotateSigningKeys(path, algorithm, nowMs)
  } catch (error) {
    // The message of a system error names the file; other errors need the name of the setting.
    if (error instanceof Error && !('syscall' in error))
      throw new ConfigError([`JWT_PRIVATE_KEY_FILE ${error.message}`])
    throw error
  }
}

function record(ctx: Context, key: SigningKey): Promise<void> {
  return commit(ctx, NO_CAUSE, ({ record }) => record('key.rotated', { changes: toOutput(key) }))
}

function toOutput({ kid, alg, signsFromMs }: SigningKey) {
  return { kid, alg, signs_from: toIso(signsFromMs) }
}
