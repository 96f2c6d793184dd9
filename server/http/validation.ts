import { Ajv, type ValidateFunction } from 'ajv'
import type { FastifySchemaCompiler, FastifySchema } from 'fastify'
import type { TSchema } from 'typebox'
import { canonicalEmail } from '../lib/emails.ts'

/** Fastify's default coerces types (`null` to `""`, `["a"]` to `"a"`) and drops unknown fields. */
const ajv = new Ajv({
  coerceTypes: false,
  removeAdditional: false,
  // Reporting all errors would let a small request cause much work.
  allErrors: false,
  strict: true,
  formats: {
    'date-time': isMoment,
    uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    email: (text: string) => canonicalEmail(text) !== undefined,
  },
})

/** RFC 3339, within the range of both databases. */
function isMoment(text: string): boolean {
  if (
    !/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$/.test(
      text,
    )
  )
    return false
  const timeMs = Date.parse(text)
  return timeMs >= 0 && timeMs < Date.UTC(9999, 0)
}

/**
 * Integers in paths and queries are exact: `1e2`, `0x1`, ` 5` are refused. A schema is compiled at its
 * first use: all of them at the start would be a sixth of it.
 */
export const compileValidator: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) => {
  const isText = httpPart === 'params' || httpPart === 'querystring'
  const integers = isText ? namesOfType(schema, 'integer') : []
  const booleans = isText ? namesOfType(schema, 'boolean') : []
  let compiled: ValidateFunction | undefined
  const validate = (data: Record<string, unknown>) => {
    compiled ??= ajv.compile(schema as TSchema)
    for (const name of integers) if (name in data) data[name] = exactInteger(data[name])
    for (const name of booleans) if (name in data) data[name] = exactBoolean(data[name])
    const valid = compiled(data)
    Object.assign(validate, { errors: compiled.errors })
    return valid
  }
  return validate
}

function namesOfType(schema: unknown, type: string): string[] {
  const properties = (schema as { properties?: Record<string, { type?: string }> }).properties ?? {}
  return Object.keys(properties).filter((name) => properties[name]?.type === type)
}

/** Converts plain decimal digits; Ajv refuses everything else. */
function exactInteger(value: unknown): unknown {
  if (typeof value !== 'string' || !/^(0|[1-9][0-9]*)$/.test(value)) return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function exactBoolean(value: unknown): unknown {
  return value === 'true' ? true : value === 'false' ? false : value
}
