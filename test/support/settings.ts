import assert from 'node:assert/strict'
import { ConfigError, readConfig } from '../../server/settings/config.ts'

export const KEY = 'hJ4vXq9mZ2rT8wYk6pLs3dFg7bNcQ5eV'
/** Enough to start, and makes no file. */
export const BASE = { DATABASE_URL: 'sqlite:///:memory:', SECRET_KEY: KEY }
export const ADMIN = {
  ADMIN_EMAIL: 'boss@example.com',
  ADMIN_PASSWORD: 'a long enough admin password',
}

/** The shop of a service without SHOP_NAME and SHOP_URL. */
export const SHOP = { name: 'Coffee Shop', url: undefined }

/** The lines with which a start refuses these settings. */
export function problemsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.message.split('\n')
  }
  return []
}
