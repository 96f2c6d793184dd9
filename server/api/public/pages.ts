import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../../context.ts'
import { escapeHtml } from '../../messages/layout.ts'
import type { App } from '../../http/fastify.ts'
import { FORM_PAGE_CSP } from '../../http/headers.ts'

const FOLDER = join(import.meta.dirname, 'pages')

/**
 * `/`, the links for a person, and `/reset`, the target of emailed links: that page sends the part after
 * the `#`, which no server, log or Referer sees. Opening it changes nothing, because mail scanners follow
 * links, too.
 */
export function pagesRoute(app: App, ctx: Context): void {
  const { passwordMinLength, shop } = ctx.config
  const href = shop.url === undefined ? undefined : escapeHtml(shop.url)
  const name = escapeHtml(shop.name)
  const values: Readonly<Record<string, string>> = {
    minLength: String(passwordMinLength),
    shop: name,
    back: href === undefined ? '' : `<p><a href="${href}" data-text="back"></a></p>`,
    website: href === undefined ? '' : `<li><a href="${href}">Website of ${name}</a></li>`,
  }
  for (const [url, type, file] of [
    ['/', 'text/html', 'home.html'],
    ['/reset', 'text/html', 'reset.html'],
    // Relative links below the page work behind a proxy that adds a path prefix.
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
