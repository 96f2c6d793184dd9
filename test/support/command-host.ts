// Runs commands of the program for support/commands.ts, one after the other, in this process.
import { run } from '../../server/cli/run.ts'

interface Command {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

process.on('message', ({ args, env }: Command) => {
  let [stdout, stderr] = ['', '']
  process.stdout.write = (text) => {
    stdout += String(text)
    return true
  }
  process.stderr.write = (text) => {
    stderr += String(text)
    return true
  }
  void run(args, env)
    .catch((error: Error) => `not an exit code but ${error.stack}`)
    .then((exitCode) => {
      // Each run of a command adds one.
      process.stdout.removeAllListeners('error')
      process.send?.({ exitCode, stdout, stderr })
    })
})
