// Makes web/dist, which the server serves: node web/build.ts. With --watch, again after each change.
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build, type Plugin } from 'vite'

const FOLDER = join(import.meta.dirname, 'dist')
const isWatching = process.argv.includes('--watch')

await build({
  root: import.meta.dirname,
  configFile: false,
  // Files refer to one another relatively; the server writes where they are below PUBLIC_URL.
  base: './',
  logLevel: 'warn',
  plugins: [compress()],
  build: {
    outDir: FOLDER,
    // While the server serves them, the files of the last build stay.
    emptyOutDir: !isWatching,
    // The policy allows no data: URLs and nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The packages in the files ask for their licences in every copy.
    license: { fileName: 'licenses.md' },
    // React's bundlers read “use client”; here everything is the client's.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
    watch: isWatching ? {} : null,
  },
})

/** Once here with the best quality, instead of by each process for its first request. */
function compress(): Plugin {
  return {
    name: 'compress',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          if (!file.fileName.startsWith('assets/')) continue
          const content = file.type === 'chunk' ? file.code : file.source
          const [br, gz] = [brotliCompressSync(content), gzipSync(content, { level: 9 })]
          this.emitFile({ type: 'asset', fileName: `${file.fileName}.br`, source: br })
          this.emitFile({ type: 'asset', fileName: `${file.fileName}.gz`, source: gz })
        }
      },
    },
  }
}
