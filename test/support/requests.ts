import fc from 'fast-check'
import type { Operation, Schema } from './openapi.ts'

/** A request to an operation, valid by its description or not. */
export interface FuzzedRequest {
  readonly url: string
  readonly body?: string
  readonly headers?: Record<string, string>
}

/** Values that exist, by the name of their field: with them requests get past the first checks. */
export type KnownValues = Readonly<Record<string, readonly unknown[]>>

const FORM = 'application/x-www-form-urlencoded'

/** Most of them are as described; in the others something is wrong, or everything. */
export function requestsFor(operation: Operation, known: KnownValues): fc.Arbitrary<FuzzedRequest> {
  const content = Object.entries(operation.requestBody?.content ?? {})
  const bodies = content.map(([type, { schema }]) =>
    mostly(bodyOf(type, schema, known), brokenBody(type)),
  )
  return fc
    .tuple(urlOf(operation, known), bodies.length === 0 ? fc.constant({}) : fc.oneof(...bodies))
    .map(([url, body]) => ({ url, ...body }))
}

function urlOf(operation: Operation, known: KnownValues): fc.Arbitrary<string> {
  const values = (place: 'path' | 'query') =>
    Object.fromEntries(
      (operation.parameters ?? [])
        .filter((parameter) => parameter.in === place)
        .map(({ name, schema }) => [name, mostly(valuesOf(schema, known, name), anyText())]),
    )
  const path = fc
    .record(values('path'))
    .map((params) =>
      operation.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(params[name]))),
    )
  const described = fc.record(values('query'), { requiredKeys: [] }).map(toQuery)
  const malformed = fc.constantFrom('%', '%zz', 'q=%ff', 'q=%ED%A0%80', '&&=', '#', '?')
  const unknown = fc.dictionary(anyText(), anyText(), { maxKeys: 2 }).map(toQuery)
  return fc
    .tuple(path, mostly(described, fc.oneof(unknown, malformed)))
    .map(([url, query]) => (query === '' ? url : `${url}?${query}`))
}

function bodyOf(type: string, schema: Schema, known: KnownValues): fc.Arbitrary<object> {
  const described = valuesOf(schema, known) as fc.Arbitrary<Record<string, unknown>>
  const damaged = fc
    .tuple(described, fc.constantFrom(...Object.keys(schema.properties ?? {})), fc.jsonValue())
    .chain(([body, field, value]) =>
      fc.constantFrom(
        { ...body, [field]: value },
        { ...body, [field]: undefined },
        { ...body, surprise: value },
        value,
      ),
    )
  return mostly(described, damaged).map((value) => ({
    body: type === FORM ? toQuery(Object(value)) : JSON.stringify(value),
    headers: { 'content-type': type },
  }))
}

function brokenBody(type: string): fc.Arbitrary<object> {
  const texts = fc.oneof(
    anyText(),
    fc.constantFrom('', '{', 'null', '[]', '{}}', '{"__proto__":{}}', '\uFEFF{}', '%ff', '&=&'),
  )
  const types = fc.constantFrom(type, 'text/plain', `${type};charset=latin1`, FORM)
  return fc
    .tuple(texts, types)
    .map(([body, contentType]) => ({ body, headers: { 'content-type': contentType } }))
}

function valuesOf(schema: Schema, known: KnownValues, name = ''): fc.Arbitrary<unknown> {
  const described = describedValues(schema, known)
  const values = known[name]
  return values === undefined ? described : mostly(fc.constantFrom(...values), described)
}

function describedValues(schema: Schema, known: KnownValues): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (typeof schema.type === 'object') {
    return fc.oneof(...schema.type.map((type) => describedValues({ ...schema, type }, known)))
  }
  switch (schema.type) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 2 ** 31 })
    case 'string':
      return textOf(schema)
    case 'object': {
      const properties = Object.entries(schema.properties ?? {})
      const fields: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(
        properties.map(([name, field]) => [name, valuesOf(field, known, name)]),
      )
      return fc.record(fields, { requiredKeys: [...(schema.required ?? [])] })
    }
    default:
      throw new Error(`the generator does not know ${JSON.stringify(schema)}`)
  }
}

function textOf({ format, pattern, minLength = 0, maxLength = 300 }: Schema): fc.Arbitrary<string> {
  if (format === 'email') return fc.emailAddress()
  if (format === 'uuid') return fc.uuid()
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, 'u'))
  return fc.string({ unit: 'binary', minLength, maxLength })
}

function anyText(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom('0', '-1', '01', '1e2', '0x1', '1.0', ' 1', '9007199254740993', '\0', "' or 1"),
    fc.constantFrom('../me', '%', '%00', '__proto__', 'a'.repeat(3000), '١', '🔑'),
  )
}

function mostly<T>(usual: fc.Arbitrary<T>, unusual: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: unusual })
}

function toQuery(values: object): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined)
  return new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString()
}
