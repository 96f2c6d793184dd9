// After an installation: builds the web app. Plain JavaScript, because without development packages the
// Node is the system's; then nothing is built, and the server says so in its place.
let isInstalled = true
try {
  import.meta.resolve('vite')
} catch {
  isInstalled = false
}
if (isInstalled) await import('./build.ts')
