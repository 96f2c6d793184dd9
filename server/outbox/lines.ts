import type { KindName, Kinds } from './kind.ts'

export type Line = 'codes' | 'sign_ups' | 'notices'

/**
 * The line in which each kind of message waits: codes and links that somebody is waiting for, sign-up mail,
 * which MAIL_MAX_PER_HOUR holds back, and notices. A kind without a line does not compile.
 */
export const LINES = {
  verification: 'sign_ups',
  verification_again: 'sign_ups',
  repeat_verification: 'codes',
  already_registered: 'sign_ups',
  reminder: 'sign_ups',
  invitation: 'codes',
  new_device: 'notices',
  session_replayed: 'notices',
  password_reset: 'codes',
  reset_link: 'codes',
  password_changed: 'notices',
  password_changed_left: 'notices',
  email_code: 'codes',
  // With the link to undo the change.
  email_changed: 'codes',
  email_confirmed: 'notices',
  email_undone: 'notices',
  phone_code: 'codes',
  account_deleted: 'notices',
  admin_changed: 'notices',
  user_deleted: 'notices',
} as const satisfies Record<KindName, Line>

/** True for a kind that MAIL_MAX_PER_HOUR counts and holds back. */
export function isHeldBack(kind: string): boolean {
  return lineOf(kind) === 'sign_ups'
}

/**
 * Notices that say the same each time but for when and from where. Others are of their own: each notice of a
 * new device names another device.
 */
const REPLACED: ReadonlySet<KindName> = new Set<KindName>([
  'session_replayed',
  'password_changed',
  'password_changed_left',
  'user_deleted',
])

/** True for a notice that replaces an earlier one to the same user and address that still waits. */
export const isReplaced = (kind: KindName): boolean => REPLACED.has(kind)

/** A message waits in the turn of the number of these that its owner's waiting messages have reached. */
const WAITING = [1, 4, 16]
export const TURNS: readonly number[] = [0, ...WAITING.map((_, index) => index + 1)]
export const TURN_MAX = WAITING.length
/** More waiting messages of one owner need not be counted. */
export const WAITING_MAX = Math.max(...WAITING)

export function turnAfter(waiting: number): number {
  return WAITING.filter((reached) => waiting >= reached).length
}

/** The line with which the claims of a process begin, one after the other. */
const FIRST: readonly Line[] = ['codes', 'sign_ups', 'codes', 'notices']
const LINES_IN_ORDER: readonly Line[] = ['codes', 'sign_ups', 'notices']
/** Coprime to the length of FIRST, so that it meets each line. */
const LATER_TURN_EVERY = 13

/**
 * The order in which a process's claim number `round` looks for a message of `kinds`. Codes come first, and
 * the first turn in each line, but no line and no turn has all claims: one of four begins with the notices,
 * and one of thirteen with a later turn.
 */
export function placesFor(round: number, kinds: Kinds): { line: Line; turn: number }[] {
  const wanted = new Set(Object.keys(kinds).map(lineOf))
  const isLater = round % LATER_TURN_EVERY === LATER_TURN_EVERY - 1
  const turns = new Set([isLater ? 1 + (round % TURN_MAX) : 0, ...TURNS])
  const lines = new Set([FIRST[round % FIRST.length] ?? 'codes', ...LINES_IN_ORDER])
  return [...lines]
    .filter((line) => wanted.has(line))
    .flatMap((line) => [...turns].map((turn) => ({ line, turn })))
}

/** Undefined for a kind that only another version knows. */
function lineOf(kind: string): Line | undefined {
  return LINES[kind as KindName]
}
