import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'

/**
 * Runs a script, with a module of the server as `module`, in so many processes at once, and returns
 * the lines that each printed. All wait for one byte when they are ready, so that they race.
 */
export async function raceProcesses(
  count: number,
  file: string,
  script: string,
): Promise<string[][]> {
  const module = resolve(import.meta.dirname, '../../server', file)
  const whole = `
    const module = await import(${JSON.stringify(module)})
    process.stdout.write('ready\\n')
    await new Promise((resolve) => process.stdin.once('data', resolve))
    ${script}
    process.exit()`
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', whole], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  await Promise.all(children.map((child) => once(child.stdout, 'readable')))
  for (const child of children) child.stdin.write('x')
  return Promise.all(
    children.map(async ({ stdout }) => (await text(stdout)).trim().split('\n').slice(1)),
  )
}
