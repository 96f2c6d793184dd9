import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../../context.ts'
import type { App } from '../../http/fastify.ts'
import { FORM_PAGE_CSP } from '../../http/headers.ts'

const FOLDER = join(import.meta.dirname, 'pages')

/**
 * `/reset`, where mailed links lead: a page that sends what follows the `#`, which no server, log or
 * Referer sees. To open it changes nothing: mail scanners follow links, too.
 */
export function resetPageRoute(app: App, ctx: Context): void {
  const { passwordMinLength } = ctx.config
  for (const [url, type, file] of [
    ['/reset', 'text/html', 'reset.html'],
    // Below the page, by relative links: so they are found behind a proxy that adds a prefix.
    ['/reset/icon.svg', 'image/svg+xml', 'icon.svg'],
    ['/reset/page.css', 'text/css', 'reset.css'],
    ['/reset/page.js', 'text/javascript', 'reset.js'],
    ['/reset/texts.js', 'text/javascript', 'texts.js'],
  ] as const) {
    const text = readFileSync(join(FOLDER, file), 'utf8')
    const content = text.replace('{{minLength}}', String(passwordMinLength))
    app.get(url, { schema: { hide: true } }, (_request, reply) =>
      reply
        .header('content-security-policy', FORM_PAGE_CSP)
        .header('cross-origin-opener-policy', 'same-origin')
        .type(`${type}; charset=utf-8`)
        .send(content),
    )
  }
}
