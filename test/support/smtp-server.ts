import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import {
  CERTIFICATE,
  CERTIFICATE_KEY,
  STRANGERS_CERTIFICATE,
  STRANGERS_CERTIFICATE_KEY,
} from './certificate.ts'

/** Such as `450 4.7.1 come back later`. */
type Reply = `${number} ${string}`

/** How the server behaves from now on; what is absent is as it should be. */
export interface Script {
  readonly connect?: 'hang' | Reply
  readonly mailFrom?: Reply
  readonly recipient?: (address: string) => Reply | undefined
  /** After the whole message: `hang` says nothing any more, `drop` closes the connection; or all is well, later. */
  readonly data?: 'hang' | 'drop' | Reply | Promise<void>
}

export interface SmtpOptions {
  /** `none`: the server offers no STARTTLS. */
  readonly tls?: 'starttls' | 'at-once' | 'none'
  readonly login?: { readonly user: string; readonly password: string }
  /** The certificate is for 127.0.0.1. */
  readonly host?: string
  /** With one that nobody trusts, even who trusts ours. */
  readonly badCertificate?: boolean
}

/** A message that came whole, whatever was answered. */
export interface Received {
  readonly messageId: string
  readonly from: string
  /** Of the envelope. */
  readonly to: readonly string[]
  /** As on the wire, without the dots that were stuffed. */
  readonly raw: string
  readonly encrypted: boolean
  readonly user: string | undefined
}

export type ScriptedSmtpServer = Awaited<ReturnType<typeof startSmtpServer>>

/** A real SMTP server on loopback that fails as it is told to, and keeps what it got. */
export async function startSmtpServer(options: SmtpOptions = {}) {
  const received: Received[] = []
  let announce = () => {}
  const recipients: string[] = []
  const { host = '127.0.0.1' } = options
  let logins = 0
  let connections = 0
  let script: Script = {}
  let port = 0
  let server: SMTPServer | undefined

  async function open(opening: SmtpOptions = options): Promise<void> {
    const { login } = opening
    const opened = new SMTPServer({
      ...serverOptions(opening),
      onAuth({ username, password }, _session, answer) {
        logins++
        const known = username === login?.user && password === login?.password
        answer(known ? null : refusal('535 5.7.8 no'), known ? { user: username } : {})
      },
      onConnect(_session, answer) {
        connections++
        if (script.connect !== 'hang') answer(refusal(script.connect))
      },
      onMailFrom: (_address, _session, answer) => answer(refusal(script.mailFrom)),
      onRcptTo({ address }, _session, answer) {
        recipients.push(address)
        answer(refusal(script.recipient?.(address)))
      },
      async onData(stream, session, answer) {
        const { data } = script
        // Cut off in the middle by the client or by us: nothing was received.
        const raw = await text(stream).catch(() => undefined)
        if (raw === undefined) return
        received.push({
          messageId: /^Message-ID: <(.+)>\r$/im.exec(raw)?.[1] ?? '',
          from: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
          to: session.envelope.rcptTo.map(({ address }) => address),
          raw,
          encrypted: session.secure,
          user: session.user,
        })
        announce()
        if (data instanceof Promise) await data
        if (data === 'drop') cut(opened, session.id)
        else if (data instanceof Promise) answer()
        else if (data !== 'hang') answer(refusal(data))
      },
    })
    opened.on('error', () => {})
    await once(opened.listen(port, host), 'listening')
    port = (opened.server.address() as AddressInfo).port
    server = opened
  }
  /** As a power cut: what is open is cut, and nobody listens any more. */
  async function goDown(): Promise<void> {
    const stopping = server
    server = undefined
    if (stopping !== undefined) await new Promise<void>((done) => stopping.close(done))
  }

  await open()
  return {
    received,
    /** Every RCPT TO, refused ones too. */
    recipients,
    connections: () => connections,
    /** Passwords that were told. */
    logins: () => logins,
    /** For MAIL_URL. */
    url: (query = '') => {
      const { login, tls } = options
      const credentials = login ? `${login.user}:${encodeURIComponent(login.password)}@` : ''
      return `${tls === 'at-once' ? 'smtps' : 'smtp'}://${credentials}${host}:${port}${query}`
    },
    port: () => port,
    /** Resolves once so many messages came whole. */
    async got(count: number): Promise<void> {
      while (received.length < count) await new Promise<void>((done) => (announce = done))
    },
    copiesOf: (messageId: string) => received.filter((mail) => mail.messageId === messageId),
    mailsTo: (address: string) => received.filter(({ to }) => to.includes(address)),
    behave: (next: Script) => void (script = next),
    goDown,
    /** On the same port, with other options if there are any. */
    comeUp: open,
    [Symbol.asyncDispose]: goDown,
  }
}

function serverOptions({ tls, login, badCertificate }: SmtpOptions): SMTPServerOptions {
  return {
    key: badCertificate ? STRANGERS_CERTIFICATE_KEY : CERTIFICATE_KEY,
    cert: badCertificate ? STRANGERS_CERTIFICATE : CERTIFICATE,
    secure: tls === 'at-once',
    hideSTARTTLS: tls === 'none',
    authOptional: login === undefined,
    allowInsecureAuth: tls === 'none',
    disabledCommands: [...(tls === 'none' ? ['STARTTLS'] : []), ...(login ? [] : ['AUTH'])],
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: true,
    closeTimeout: 1,
  }
}

function refusal(reply: Reply | undefined): Error | null {
  if (reply === undefined) return null
  const [code = '', ...words] = reply.split(' ')
  return Object.assign(new Error(words.join(' ')), { responseCode: Number(code) })
}

function cut(server: SMTPServer, sessionId: string): void {
  for (const connection of server.connections) {
    if (connection.id === sessionId) connection.close()
  }
}
