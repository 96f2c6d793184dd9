import type { Config, Secrets } from '../../settings/config.ts'
import { SECOND_MS } from '../../lib/units.ts'
import type { Output } from '../../lib/log.ts'
import type { Sender } from '../kind.ts'
import { createPrinter } from './printer.ts'
import { createSendGridMailer } from './sendgrid.ts'

/** A composed mail to one address. */
export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** The console prints this instead of the whole mail. */
  readonly consoleLine?: string
}

export type Mailer = Sender<Mail>

interface MailerOptions {
  readonly config: Pick<Config, 'mailFrom'>
  readonly secrets: Pick<Secrets, 'mailUrl'>
  readonly output: Pick<Output, 'write' | 'flush'>
}

export async function createMailer({ config, secrets, output }: MailerOptions): Promise<Mailer> {
  const { mailUrl } = secrets
  if (mailUrl.kind === 'console') return createConsoleMailer(output)
  // readConfig has already checked this.
  if (config.mailFrom === undefined) throw new Error('MAIL_FROM is missing')
  if (mailUrl.kind !== 'smtp') return createSendGridMailer(mailUrl, config.mailFrom)
  // Imported here, because nodemailer is a part of the start that most processes do not need.
  const { createSmtpMailer } = await import('./smtp.ts')
  return createSmtpMailer(mailUrl, config.mailFrom)
}

/** Prints mails. Its codes and links are the only secrets that the service ever prints. */
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
