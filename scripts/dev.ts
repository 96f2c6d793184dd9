// npm run dev: the server, started again after each change, and the web app, built again after each.
import { spawn } from 'node:child_process'

const children = [
  ['--import', './server/require-node.mjs', '--watch', 'server/main.ts', '--dev'],
  ['web/build.ts', '--watch'],
].map((args) => spawn(process.execPath, args, { stdio: 'inherit' }))

const stop = () => children.forEach((child) => child.kill())
for (const child of children) child.once('exit', stop)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
