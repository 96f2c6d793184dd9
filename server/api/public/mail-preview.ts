import type { Context } from '../../context.ts'
import { exampleMails, type ExampleMail, exampleSms } from '../../messages/examples.ts'
import { escapeHtml, type Shop } from '../../messages/layout.ts'
import type { App } from '../../http/fastify.ts'

/** Allows only the inline styles of mails. */
const CSP =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** `/dev/mails` previews every mail. It exists only in `npm run dev` and is not part of the API. */
export function mailPreviewRoute(app: App, ctx: Context): void {
  const { shop, publicUrl } = ctx.config
  app.get('/dev/mails', { schema: { hide: true } }, (_request, reply) =>
    reply
      .header('content-security-policy', CSP)
      .type('text/html; charset=utf-8')
      .send(page(shop, exampleMails(shop, publicUrl))),
  )
}

function page(shop: Shop, examples: readonly ExampleMail[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Emails – ${escapeHtml(shop.name)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72em; padding: 1em }
section { align-items: start; display: grid; gap: 1em; grid-template-columns: repeat(auto-fit, minmax(20em, 1fr)) }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere }
pre, iframe { border: 1px solid #888; box-sizing: border-box; padding: 1em }
iframe { width: 100%; height: 34em; padding: 0 }
</style>
</head>
<body>
<h1>Emails</h1>
${examples.map(section).join('\n')}
<h1>Text messages</h1>
${exampleSms(shop).map(textMessage).join('\n')}
</body>
</html>
`
}

function section({ kind, locale, mail }: ExampleMail): string {
  const name = `${kind}, ${locale}`
  // The sandbox disables scripts, forms and navigation in the preview, whatever the mail contains.
  return `<h2>${name}</h2>
<p lang="${locale}">To: ${escapeHtml(mail.to)}<br>Subject: <b>${escapeHtml(mail.subject)}</b></p>
<section lang="${locale}">
<pre>${escapeHtml(mail.text)}</pre>
<iframe title="${name}" sandbox="" srcdoc="${escapeHtml(mail.html)}"></iframe>
</section>`
}

function textMessage({ kind, locale, sms }: ReturnType<typeof exampleSms>[number]): string {
  return `<h2>${kind}, ${locale}</h2>
<pre lang="${locale}">${escapeHtml(sms.text)}</pre>`
}
