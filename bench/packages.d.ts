// What is used of the two packages that only bench/node_modules has, so that `npm run typecheck` does
// without them.

declare module 'autocannon' {
  namespace autocannon {
    interface Request {
      readonly method: string
      readonly path: string
      readonly headers: Readonly<Record<string, string>>
      readonly body?: string
      readonly setupRequest?: (request: Request) => Request
      readonly onResponse?: (status: number, body: string) => void
    }
    interface Client {
      setRequests(requests: Request[]): void
    }
    interface Options {
      readonly url: string
      readonly connections: number
      readonly amount?: number
      /** In seconds. */
      readonly duration?: number
      /** Seconds until a request counts as failed. */
      readonly timeout?: number
      /** Milliseconds, after which the end is noticed. */
      readonly sampleInt?: number
      readonly setupClient?: (client: Client) => void
    }
    interface Result {
      readonly errors: number
      readonly timeouts: number
      readonly statusCodeStats: Readonly<Record<string, { readonly count: number }>>
    }
  }
  function autocannon(options: autocannon.Options): Promise<autocannon.Result>
  export = autocannon
}

declare module 'better-auth' {
  interface Auth {
    readonly options: object
  }
  export function betterAuth(options: object): Auth
}
declare module 'better-auth/node' {
  import type { RequestListener } from 'node:http'
  import type { Auth } from 'better-auth'
  export function toNodeHandler(auth: Auth): RequestListener
}
declare module 'better-auth/plugins' {
  export function admin(): object
}
declare module 'better-auth/db/migration' {
  export function getMigrations(options: object): Promise<{ runMigrations(): Promise<void> }>
}
