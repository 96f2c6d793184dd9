import type { Config, Secrets } from '../../settings/config.ts'
import { SECOND_MS } from '../../lib/units.ts'
import type { Output } from '../../lib/log.ts'
import { createPrinter } from './printer.ts'
import { createSendGridMailer } from './sendgrid.ts'
import { createSmtpMailer } from './smtp.ts'

/** One mail to one address, ready to send. */
export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** The console prints this in place of the whole mail. */
  readonly consoleLine?: string
}

export interface Mailer {
  /** By then `send` has answered or given up: how long a claim lasts. */
  readonly timeoutMs: number
  /**
   * Resolves once the mail was handed over. `id` makes the Message-ID: the same for every try.
   * Throws DeliveryError and nothing else.
   */
  send(mail: Mail, id: string): Promise<void>
  /** Gives up what is in hand: each `send` throws at once. */
  close?(): Promise<void>
}

interface MailerOptions {
  readonly config: Pick<Config, 'mailFrom'>
  readonly secrets: Pick<Secrets, 'mailUrl'>
  readonly output: Pick<Output, 'write' | 'flush'>
}

/** The sender that MAIL_URL names. */
export function createMailer({ config, secrets, output }: MailerOptions): Mailer {
  const { mailUrl } = secrets
  if (mailUrl.kind === 'console') return createConsoleMailer(output)
  // readConfig has refused it with a line of its own.
  if (config.mailFrom === undefined) throw new Error('MAIL_FROM is missing')
  return mailUrl.kind === 'smtp'
    ? createSmtpMailer(mailUrl, config.mailFrom)
    : createSendGridMailer(mailUrl, config.mailFrom)
}

/** Prints mails. The line with a code or link is the only place where a secret is ever printed. */
export function createConsoleMailer(output: Pick<Output, 'write' | 'flush'>): Mailer {
  const print = createPrinter(output)
  return {
    timeoutMs: 2 * SECOND_MS,
    send: (mail, id) =>
      print(mail.consoleLine ?? `✉️  To ${mail.to}: ${mail.subject}\n${indent(mail.text)}`, id),
  }
}

function indent(text: string): string {
  return text.trimEnd().replace(/^/gm, '   ')
}
