import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startDebianProgram } from './programs.ts'

/** Where the samples expect the checkout. */
const CODE = '/opt/coffee-shop-api'
/** Of the range that systemd takes dynamic users from. */
const DYNAMIC_USER = 61_184
/** <linux/socket.h> */
const FAMILIES: Readonly<Record<string, number>> = { AF_UNIX: 1, AF_INET: 2, AF_INET6: 10 }

/**
 * In a mount namespace of its own: everything read-only but the folder `$1`, with the checkout `$2` where
 * the samples expect it.
 */
const READ_ONLY = `mount --bind "$1" "$1"
mount -o remount,bind,ro /
mount -t tmpfs tmpfs /opt
mkdir ${CODE}
mount --bind "$2" ${CODE}
mount -o remount,bind,ro ${CODE}
shift 2
exec "$@"`

/** Folders instead of /etc and /var/lib, below `folder`, with `settings` in .env. */
export function makeMachine(folder: string, settings: string) {
  const machine = {
    etc: join(folder, 'etc'),
    state: join(folder, 'state'),
    credentials: join(folder, 'credentials'),
  }
  for (const path of [machine.etc, machine.state, machine.credentials]) mkdirSync(path)
  chmodSync(folder, 0o755)
  const own = join(machine.state, 'coffee-shop-api')
  mkdirSync(own, { mode: 0o700 })
  chownSync(own, DYNAMIC_USER, DYNAMIC_USER)
  writeFileSync(join(machine.etc, '.env'), inMachine(settings, machine), { mode: 0o644 })
  return machine
}

export type Machine = ReturnType<typeof makeMachine>

/**
 * Runs ExecStart of a sample with what systemd would give it, as far as this is possible without systemd: a
 * user without privileges, read-only folders, socket families, credentials. Needs root.
 */
export function startUnit(name: string, machine: Machine, dropIns: readonly string[] = []) {
  const text = [name, ...dropIns].map((file) => readFileSync(`deploy/systemd/${file}`, 'utf8'))
  const lines = inMachine(text.join('\n'), machine).matchAll(/^(?<key>\w+)=(?<value>.*)$/gm)
  const entries = [...lines].map(({ groups: { key = '', value = '' } = {} }) => [key, value])
  const all = (key: string) => entries.filter(([own]) => own === key).map(([, value = '']) => value)
  const one = (key: string) => all(key).at(-1) ?? ''

  for (const credential of all('LoadCredential')) {
    const [id = '', source = ''] = credential.split(':')
    const file = join(machine.credentials, id)
    copyFileSync(source, file)
    chownSync(file, DYNAMIC_USER, DYNAMIC_USER)
    chmodSync(file, 0o400)
  }
  const families = one('RestrictAddressFamilies')
    .split(' ')
    .map((family) => FAMILIES[family])
  const user = `${DYNAMIC_USER}`
  const lastly = `umask ${one('UMask')}; cd ${one('WorkingDirectory')}; exec "$@"`
  // Debian's Python can set a seccomp filter.
  const confined = `/usr/bin/python3 ${CODE}/test/support/seccomp.py ${families.join()} sh -euc`
  const command = [
    '--mount',
    'sh',
    '-euc',
    READ_ONLY,
    'sh',
    machine.state,
    resolve('.'),
    ...`setpriv --reuid ${user} --regid ${user} --clear-groups --bounding-set=-all`.split(' '),
    ...confined.split(' '),
    lastly,
    'sh',
    ...one('ExecStart').split(' '),
  ]
  const environment = all('Environment').map((pair) => pair.split('=') as [string, string])
  return startDebianProgram('unshare', command, {
    cwd: '/',
    env: Object.fromEntries(environment),
  })
}

function inMachine(text: string, { etc, state, credentials }: Machine): string {
  return text
    .replaceAll('/etc/coffee-shop-api', etc)
    .replaceAll('/var/lib', state)
    .replaceAll('%d', credentials)
}
