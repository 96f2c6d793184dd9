import assert from 'node:assert/strict'
import { LOGIN, REFRESH, type Tokens } from './sessions.ts'
import { type Answer, PASSWORD, type Service } from './service.ts'

/** Settings with which the cookie is secure, although the tests speak plain HTTP, as a proxy does. */
export const SHOP = { PUBLIC_URL: 'https://shop.example.com' }
export const SHOP_COOKIE = '__Host-coffee_shop_refresh_token'
/** The name by the default PUBLIC_URL. */
export const PLAIN_COOKIE = 'coffee_shop_refresh_token'
/** What a browser sends for a page of ours. */
export const OWN_PAGE = { 'sec-fetch-site': 'same-origin' }

interface Sent {
  readonly name?: string
  readonly body?: unknown
  readonly token?: string
  readonly headers?: Record<string, string>
}

/** A request of our own page in a browser with these refresh tokens in its cookies. */
export function fromBrowser(
  service: Service,
  url: string,
  cookies: string | readonly string[] = [],
  { name = SHOP_COOKIE, body, token, headers = OWN_PAGE }: Sent = {},
): Promise<Answer> {
  const cookie = [cookies].flat().map((value) => `${name}=${value}`)
  return service.post(url, body, {
    token,
    headers: { ...headers, ...(cookie.length > 0 ? { cookie: cookie.join('; ') } : {}) },
  })
}

export const refreshInBrowser = (service: Service, cookie: string) =>
  fromBrowser(service, REFRESH, cookie)

/** A login that puts the refresh token into the cookie, as if a browser had these before. */
export async function logInToCookie(
  service: Service,
  email: string,
  cookies: string | readonly string[] = [],
): Promise<Tokens> {
  const body = { email, password: PASSWORD, cookie: true }
  return keptBy(await fromBrowser(service, LOGIN, cookies, { body }))
}

/** The tokens of a success whose refresh token is in the cookie, and nowhere else. */
export function keptBy(answer: Answer, name = SHOP_COOKIE): Tokens {
  assert.equal(answer.status, 200, answer.text)
  const { value } = cookieOf(answer, name)
  assert.deepEqual(Object.keys(answer.body).toSorted(), [
    'access_token',
    'expires_in',
    'token_type',
  ])
  assert.match(value, /^[0-9a-f-]{36}\.[0-9]+\.[\w-]{43}$/)
  return { access: answer.body.access_token, refresh: value }
}

/** The one cookie of an answer; its attributes but `Max-Age` are asserted. */
export function cookieOf(answer: Answer, name = SHOP_COOKIE): { value: string; maxAgeS: number } {
  const [, found = '', value = '', maxAge = '', rest = ''] =
    /^([^=]+)=([^;]*); Max-Age=([0-9]+); (.*)$/.exec(String(answer.headers['set-cookie'])) ?? []
  const secure = name.startsWith('__Host-') ? '; Secure' : ''
  assert.deepEqual([found, rest], [name, `Path=/; HttpOnly; SameSite=Strict${secure}`])
  return { value, maxAgeS: Number(maxAge) }
}

export function assertCleared(answer: Answer, name = SHOP_COOKIE): void {
  assert.deepEqual(cookieOf(answer, name), { value: '', maxAgeS: 0 })
}

export function assertNoCookie({ headers }: Answer): void {
  assert.equal(headers['set-cookie'], undefined)
}
