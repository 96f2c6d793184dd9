import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { Context } from '../../context.ts'
import { AppError } from '../../errors.ts'
import type { App } from '../../http/fastify.ts'
import { type Encoding, fillIn, IMMUTABLE, negotiateEncoding } from '../../http/files.ts'
import { appCsp } from '../../http/headers.ts'
import { once } from '../../lib/once.ts'
import { ROOT } from '../../lib/program.ts'
import { newNonce } from '../../lib/random.ts'
import { escapeHtml } from '../../messages/layout.ts'
import { adminMinLength } from '../../passwords/policy.ts'
import { APP_PATHS } from './app-paths.ts'

/** What `npm run build` makes: index.html, and in assets/ each file as it is, as .br and as .gz. */
const FOLDER = join(ROOT, 'web/dist')

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
}

interface Asset {
  readonly type: string
  readonly encoded: Readonly<Record<Encoding, Buffer>>
}
interface Build {
  /** With `{{name}}` where the values of this service go, and the nonce of each response. */
  readonly page: string
  readonly assets: ReadonlyMap<string, Asset>
}

interface Options {
  readonly folder?: string
  /** Reads the files for each request, for `npm run dev`. */
  readonly isRebuilt?: boolean
}

/** The web app: one page for all its paths, and its files, whose names change with their content. */
export function webAppRoute(
  app: App,
  { config }: Context,
  { folder = FOLDER, isRebuilt = false }: Options = {},
): void {
  const { docs, passwordMinLength, publicPath, shop } = config
  const values = {
    adminMinLength: String(adminMinLength(passwordMinLength)),
    base: escapeHtml(publicPath),
    docs: docs ? 'on' : '',
    minLength: String(passwordMinLength),
    shop: escapeHtml(shop.name),
    shopUrl: escapeHtml(shop.url ?? ''),
  }
  const read = () => readBuild(folder)
  const build = isRebuilt ? read : once(read)

  for (const path of APP_PATHS) {
    app.get(path, { schema: { hide: true } }, async (_request, reply) => {
      const { page } = (await build()) ?? {}
      reply.type('text/html; charset=utf-8')
      if (page === undefined) return reply.code(503).header('retry-after', '60').send(NOT_BUILT)
      const nonce = newNonce()
      return reply
        .header('content-security-policy', appCsp(nonce))
        .header('cross-origin-opener-policy', 'same-origin')
        .send(fillIn(page, { ...values, nonce }))
    })
  }
  app.get('/assets/:file', { schema: { hide: true } }, async (request, reply) => {
    const { file } = request.params as { file: string }
    const asset = (await build())?.assets.get(file)
    if (asset === undefined) throw new AppError('not_found')
    const encoding = negotiateEncoding(request, reply)
    if (encoding !== 'identity') reply.header('content-encoding', encoding)
    return reply.type(asset.type).header('cache-control', IMMUTABLE).send(asset.encoded[encoding])
  })
}

const NOT_BUILT = `<!doctype html>
<html lang="en">
<title>The web app is not built</title>
<h1>The web app is not built</h1>
<p>The API works. To build the web app, run <code>npm ci --include=dev</code> in the folder of the service, then restart it.</p>
</html>
`

/** Undefined where nothing is built, as after an installation without development packages. */
async function readBuild(folder: string): Promise<Build | undefined> {
  const template = await readFile(join(folder, 'index.html'), 'utf8').catch(absent)
  if (template === undefined) return undefined
  // PUBLIC_URL may have a path, and the page stands at more than one.
  const page = template.replaceAll('="./', '="{{base}}/')
  const names = await readdir(join(folder, 'assets'))
  const assets = names
    .filter((name) => extname(name) in TYPES)
    .map(async (name): Promise<[string, Asset]> => {
      const [identity, br, gzip] = await Promise.all(
        ['', '.br', '.gz'].map((suffix) => readFile(join(folder, 'assets', name + suffix))),
      )
      if (!identity || !br || !gzip) throw new Error(`${name} is incomplete`)
      return [name, { type: TYPES[extname(name)] ?? '', encoded: { identity, br, gzip } }]
    })
  return { page, assets: new Map(await Promise.all(assets)) }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
