import { type Output, OutputStuckError } from '../log.ts'
import type { Mail } from './messages.ts'

export interface Mailer {
  /** Resolves once the mail was handed over. `id` makes the Message-ID: the same for every try. */
  send(mail: Mail, id: string): Promise<void>
}

/** Prints mails. The line with a code or link is the only place where a secret is ever printed. */
export function createConsoleMailer(output: Pick<Output, 'write' | 'flush'>): Mailer {
  /** Written, and waiting for a reader: once more would be another copy. */
  const queued = new Set<string>()
  return {
    async send(mail, id) {
      const lines = mail.consoleLine ?? `✉️  To ${mail.to}: ${mail.subject}\n${indent(mail.text)}`
      if (!queued.has(id)) output.write(`${lines}\n`)
      queued.add(id)
      try {
        // Only what is out counts as sent: a kill must not lose it.
        await output.flush()
        queued.delete(id)
      } catch (error) {
        if (!(error instanceof OutputStuckError)) queued.delete(id)
        throw error
      }
    },
  }
}

/** Keeps mails for tests. */
export function createMemoryMailer(): Mailer & { readonly sent: Mail[] } {
  const sent: Mail[] = []
  return {
    sent,
    async send(mail) {
      sent.push(mail)
    },
  }
}

function indent(text: string): string {
  return text.trimEnd().replace(/^/gm, '   ')
}
