import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../../context.ts'
import { escapeHtml } from '../../messages/layout.ts'
import type { App } from '../../http/fastify.ts'
import { fillIn, serveFile, storeFile, versionOf } from '../../http/files.ts'
import { FORM_PAGE_CSP } from '../../http/headers.ts'

const FOLDER = join(import.meta.dirname, 'pages')
const HEADERS = {
  'content-security-policy': FORM_PAGE_CSP,
  'cross-origin-opener-policy': 'same-origin',
}

/**
 * `/`, the links for a person, and `/reset`, the target of emailed links: that page sends the part after
 * the `#`, which no server, log or Referer sees. Opening it changes nothing, because mail scanners follow
 * links, too.
 */
export function pagesRoute(app: App, ctx: Context): void {
  const { docs, passwordMinLength, publicPath, shop } = ctx.config
  const href = shop.url === undefined ? undefined : escapeHtml(shop.url)
  const name = escapeHtml(shop.name)
  // Links lead to PUBLIC_URL without a final slash, from where relative ones would leave its path.
  const root = escapeHtml(publicPath && `${publicPath}/`)
  const values: Record<string, string> = {
    minLength: String(passwordMinLength),
    shop: name,
    root,
    back: href === undefined ? '' : `<p><a href="${href}" data-text="back"></a></p>`,
    website: href === undefined ? '' : `<li><a href="${href}">Website of ${name}</a></li>`,
    documentation: docs ? `<li><a href="${root}docs">API documentation</a></li>` : '',
  }
  for (const [url, type, file] of [
    // Relative links below the page work behind a proxy that adds a path prefix.
    ['/reset/icon.svg', 'image/svg+xml', 'icon.svg'],
    ['/reset/page.css', 'text/css', 'reset.css'],
    ['/reset/texts.js', 'text/javascript', 'texts.js'],
    ['/reset/page.js', 'text/javascript', 'reset.js'],
    // After the files that they refer to by version.
    ['/', 'text/html', 'home.html'],
    ['/reset', 'text/html', 'reset.html'],
  ] as const) {
    const content = fillIn(readFileSync(join(FOLDER, file), 'utf8'), values)
    values[file] = `${url.slice(1)}?v=${versionOf(content)}`
    const stored = storeFile(type, () => content)
    serveFile(app, url, stored, { headers: HEADERS })
  }
}
