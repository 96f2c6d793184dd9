const LENGTH_MAX = 200

/**
 * A reply of another server for logs and tables: one line, without addresses and possible codes; a spam
 * filter may quote the mail that it refuses.
 */
export function quotable(reply: string): string {
  return reply
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .replaceAll(/[^\s<>"'(),:;]+@[^\s<>"'(),:;]+/g, '…@…')
    .replaceAll(/[0-9]{6,}/g, '…')
    .trim()
    .slice(0, LENGTH_MAX)
}
