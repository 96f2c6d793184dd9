import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'

/** The subset of JSON Schema that our own document uses. */
export interface Schema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly items?: Schema
  readonly examples?: readonly unknown[]
  readonly $ref?: string
}
export interface Media {
  readonly schema: Schema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly schema: Schema
  readonly description?: string
  readonly example?: unknown
}
export interface Operation {
  /** `GET`, … */
  readonly method: string
  /** `/api/v1/users/{id}` */
  readonly path: string
  readonly operationId: string
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Record<string, Media> }
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Record<string, Media> }>
  >
}

/** Our OpenAPI document as it was written down; test/edge/openapi.test.ts holds it to what is served. */
export const document = JSON.parse(readFileSync('docs/openapi.json', 'utf8'))

/** With each reference replaced by the schema that it names. */
const paths: object = JSON.parse(JSON.stringify(document.paths), withSchema)

export const operations: Operation[] = Object.entries(paths).flatMap(([path, item]) =>
  Object.entries(item as Record<string, Operation>).map(([method, operation]) => ({
    ...operation,
    path,
    method: method.toUpperCase(),
  })),
)

const ajv = new Ajv2020({
  strictSchema: false,
  formats: {
    'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    email: /^[^@\s]+@[^@\s]+$/,
  },
}).addSchema(document, 'api')

/** Tells what is wrong with a value by a schema of the document, or undefined when nothing is. */
export function check(pointer: readonly (string | number)[], value: unknown): string | undefined {
  const ref = pointer.map((part) => `/${encodeURIComponent(escape(String(part)))}`).join('')
  const validate = ajv.getSchema(`api#${ref}`)
  if (validate === undefined) return `no schema at ${ref}`
  return validate(value) === true ? undefined : ajv.errorsText(validate.errors)
}

function withSchema(_key: string, value: Schema | null): unknown {
  const name = /^#\/components\/schemas\/(\w+)$/.exec(value?.$ref ?? '')?.[1]
  if (name === undefined) return value
  return JSON.parse(JSON.stringify(document.components.schemas[name]), withSchema)
}

function escape(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1')
}
