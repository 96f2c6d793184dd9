import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { ask } from './ask.ts'
import { PASSWORD } from './service.ts'

/** What a client knows of one account: what was acknowledged, and what it asked without an answer. */
export interface Account {
  readonly email: string
  signUpId?: string
  /** Printed codes, one per copy of the mail. */
  readonly codes: string[]
  /** A right code was sent, answered or not. */
  verifyAsked: boolean
  verified: boolean
  /** The newest refresh token that an answer brought. */
  refresh?: string | undefined
}

export interface Load {
  readonly accounts: ReadonlyMap<string, Account>
  /** Reads a server's line; picks the codes out. */
  readonly hear: (line: string) => void
  /** Answers and mails so far. */
  readonly progress: () => number
  /** Signs up, verifies, logs in and refreshes until `isOver`; a dead server is asked again. */
  run(urlNow: () => string, isOver: () => boolean): Promise<void>
}

const CODE_LINE = /^🔑 Verification code for (\S+): (\d{6})$/

/** Clients that remember what they were told. Anything but what a healthy server says throws. */
export function createLoad(clients: number): Load {
  const accounts = new Map<string, Account>()
  let count = 0
  let progress = 0

  function hear(line: string): void {
    const [, email, code] = CODE_LINE.exec(line) ?? []
    if (email === undefined || code === undefined) return
    const account = accounts.get(email)
    assert.ok(account, `a code for ${email}, who never signed up`)
    account.codes.push(code)
    progress++
  }
  async function client(urlNow: () => string, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const account: Account = {
        email: `user${++count}@example.com`,
        codes: [],
        verifyAsked: false,
        verified: false,
      }
      accounts.set(account.email, account)
      await live(urlNow(), account, { isOver, advance: () => progress++ })
    }
  }
  return {
    accounts,
    hear,
    progress: () => progress,
    async run(urlNow, isOver) {
      await Promise.all(Array.from({ length: clients }, () => client(urlNow, isOver)))
    },
  }
}

/** One account's life against one server; ends early when that server dies. */
async function live(
  url: string,
  account: Account,
  { isOver, advance }: { isOver: () => boolean; advance: () => void },
): Promise<void> {
  const { email } = account
  /** Undefined without an answer, and when a busy machine leaves the database no time. */
  async function served(path: string, body: unknown, status: number): Promise<any> {
    const answer = await ask(url, path, body)
    if (answer === undefined || answer.status === 503) return undefined
    assert.equal(answer.status, status, JSON.stringify(answer.body))
    advance()
    return answer.body
  }
  const signedUp = await served('/auth/signup', { email, password: PASSWORD }, 201)
  if (signedUp === undefined) return
  account.signUpId = signedUp.sign_up_id
  while (account.codes.length === 0) {
    if (isOver() || (await ask(url, '/health')) === undefined) return
    await delay(50)
  }
  account.verifyAsked = true
  const verified = await served('/auth/verify', { email, code: account.codes[0] }, 200)
  if (verified === undefined) return
  account.verified = true
  const loggedIn = await served('/auth/login', { email, password: PASSWORD }, 200)
  account.refresh = loggedIn?.refresh_token
  for (let n = 0; n < 3 && account.refresh !== undefined; n++) {
    const refresh_token: string = account.refresh
    const refreshed = await served('/auth/refresh', { refresh_token }, 200)
    if (refreshed === undefined) return
    account.refresh = refreshed.refresh_token
  }
}
