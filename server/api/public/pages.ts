import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../../context.ts'
import { escapeHtml } from '../../messages/layout.ts'
import type { App } from '../../http/fastify.ts'
import { FORM_PAGE_CSP } from '../../http/headers.ts'

const FOLDER = join(import.meta.dirname, 'pages')

/**
 * `/reset`, the target of emailed links: the page sends the part after the `#`, which no server, log or
 * Referer sees. Opening it changes nothing, because mail scanners follow links, too.
 */
export function pagesRoute(app: App, ctx: Context): void {
  const { passwordMinLength, shop } = ctx.config
  const values: Readonly<Record<string, string>> = {
    minLength: String(passwordMinLength),
    shop: escapeHtml(shop.name),
    back:
      shop.url === undefined
        ? ''
        : `<p><a href="${escapeHtml(shop.url)}" data-text="back"></a></p>`,
  }
  for (const [url, type, file] of [
    ['/reset', 'text/html', 'reset.html'],
    // Below the page, by relative links, so that they work behind a proxy that adds a prefix.
    ['/reset/icon.svg', 'image/svg+xml', 'icon.svg'],
    ['/reset/page.css', 'text/css', 'reset.css'],
    ['/reset/page.js', 'text/javascript', 'reset.js'],
    ['/reset/texts.js', 'text/javascript', 'texts.js'],
  ] as const) {
    const text = readFileSync(join(FOLDER, file), 'utf8')
    const content = text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '')
    app.get(url, { schema: { hide: true } }, (_request, reply) =>
      reply
        .header('content-security-policy', FORM_PAGE_CSP)
        .header('cross-origin-opener-policy', 'same-origin')
        .type(`${type}; charset=utf-8`)
        .send(content),
    )
  }
}
