import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Context } from '../../context.ts'
import { escapeHtml } from '../../messages/layout.ts'
import type { App } from '../../http/fastify.ts'
import { fillIn, serveFile, storeFile } from '../../http/files.ts'
import { PAGE_CSP } from '../../http/headers.ts'

const OUR_FILES = join(import.meta.dirname, 'pages')
/** Only files of the plugin: its routes build the document anew for each request. */
const SWAGGER_UI = fileURLToPath(import.meta.resolve('@fastify/swagger-ui/static/'))

const FILES = [
  ['icon.svg', 'image/svg+xml', OUR_FILES],
  ['docs.js', 'text/javascript', OUR_FILES],
  ['index.css', 'text/css', SWAGGER_UI],
  ['swagger-ui.css', 'text/css', SWAGGER_UI],
  ['swagger-ui-bundle.js', 'text/javascript', SWAGGER_UI],
] as const

/** `/openapi.json`, and `/docs` with its files; nothing is read or built before its first request. */
export function docsRoute(app: App, ctx: Context): void {
  const { shop, publicPath } = ctx.config
  const document = storeFile('application/json', async () => {
    const { describeRoutes } = await import('./documentation.ts')
    return JSON.stringify(await describeRoutes(app.routes, shop.name, publicPath))
  })
  serveFile(app, '/openapi.json', document, { revalidated: true })

  const serving = { headers: { 'content-security-policy': PAGE_CSP }, revalidated: true }
  const files = FILES.map(([name, type, folder]) => {
    const file = storeFile(type, () => readFile(join(folder, name)))
    serveFile(app, `/docs/static/${name}`, file, serving)
    return { name, file }
  })
  // Relative links work behind a proxy that adds a path prefix.
  for (const [url, folder] of [
    ['/docs', 'docs/static'],
    ['/docs/', 'static'],
  ] as const) {
    const page = storeFile('text/html', async () => {
      const values: Record<string, string> = { title: escapeHtml(`${shop.name} API`) }
      for (const { name, file } of files)
        values[name] = `${folder}/${name}?v=${await file.version()}`
      return fillIn(await readFile(join(OUR_FILES, 'docs.html'), 'utf8'), values)
    })
    serveFile(app, url, page, serving)
  }
}
