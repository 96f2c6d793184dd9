const LENGTH_MAX = 200

/**
 * Sanitises a server's reply for logs and tables: one line, without addresses and possible codes, because
 * a spam filter may quote the mail that it rejects.
 */
export function quotable(reply: string): string {
  return reply
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .replaceAll(/[^\s<>"'(),:;]+@[^\s<>"'(),:;]+/g, '…@…')
    .replaceAll(/[0-9]{6,}/g, '…')
    .trim()
    .slice(0, LENGTH_MAX)
}
