import type { Algorithm } from '@node-rs/argon2'

/** The argon2id of our defaults: the limit and one of the peers hash at this cost. */
export const ARGON2 = {
  // `Algorithm.Argon2id`; the enum exists in types only.
  algorithm: 2 as Algorithm,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
} as const
