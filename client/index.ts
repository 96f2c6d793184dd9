// What is published. Everything else may change without notice.
export { type Answer, type Client, type ClientOptions, createClient, type User } from './client.ts'
export { type ErrorCode, type FieldError, ShopError } from './errors.ts'
export type { components, paths } from './schema.ts'
export type { Fetch } from './send.ts'
export type { Credentials, Outcome, Tokens, TokenStore } from './session.ts'
