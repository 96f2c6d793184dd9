import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'

import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { absent } from './programs.ts'

/** Why the image cannot be built here; false where it can be. */
export const noImage =
  absent('buildah', 'unshare') || (process.getuid?.() !== 0 && 'buildah needs root here')

const NAME = 'coffee-shop-api'
const FROM = /^FROM (\S+)/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1] ?? ''
/** The programs of the official image that the Dockerfile and the tests use. */
const PROGRAMS = ['sh', 'env', 'mkdir', 'chmod', 'cat', 'rm']
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Mounts as a container has them, then the image's own command: $1 the image, $2 the volume, $3 the
 * user. The pid stays the same, so that signals reach the program.
 */
const IN_CONTAINER = `set -e
mount --bind "$1" "$1"
mount --bind "$2" "$1/app/data"
mount --rbind /dev "$1/dev"
mount --rbind /proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
mount -o remount,bind,ro "$1"
root=$1 user=$3; shift 3
exec chroot --userspec="$user" --groups="\${user#*:}" "$root" env --chdir=/app "$@"`

interface ImageConfig {
  readonly Env: readonly string[]
  readonly Cmd: readonly string[]
  readonly User: string
  readonly Healthcheck: { readonly Test: readonly string[] }
}

interface Run {
  readonly volume: string
  readonly user?: string
  readonly command?: readonly string[]
}

/**
 * Builds the image from the Dockerfile. No registry is asked for the base: a stand-in of its name has
 * this machine's Node, npm and shell. Packages come from npm's cache where they are in it.
 */
export function buildImage() {
  const folder = mkdtempSync(join(tmpdir(), 'coffee-shop-image-'))
  let driver = 'overlay'
  function buildah(...args: string[]): string {
    const stores = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run')]
    const { status, stdout, stderr } = spawnSync(
      'buildah',
      [...stores, '--storage-driver', driver, ...args],
      { encoding: 'utf8' },
    )
    assert.equal(status, 0, `buildah ${args[0]}\n${stdout}${stderr}`)
    return stdout.trim()
  }
  const base = join(folder, 'base')
  makeBase(base)
  let container: string
  try {
    container = buildah('from', 'scratch')
    buildah('copy', container, base, '/')
  } catch {
    // Inside of a container there may be no overlay.
    driver = 'vfs'
    container = buildah('from', 'scratch')
    buildah('copy', container, base, '/')
  }
  const settings = ['npm_config_cache=/var/cache/npm', 'npm_config_prefer_offline=true']
  if (process.env['NODE_EXTRA_CA_CERTS']) settings.push(`NODE_EXTRA_CA_CERTS=${CA}`)
  buildah('config', ...[`PATH=${PATH}`, ...settings].flatMap((one) => ['--env', one]), container)
  buildah('commit', '--rm', container, `docker.io/library/${FROM}`)

  const cache = spawnSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).stdout.trim()
  mkdirSync(cache, { recursive: true })
  const volume = ['--volume', `${cache}:/var/cache/npm`]
  buildah(
    'bud',
    '--isolation=chroot',
    '--format=docker',
    '--pull-never',
    ...volume,
    `--tag=${NAME}`,
  )
  const root = buildah('mount', buildah('from', '--pull-never', NAME))
  const config: ImageConfig = JSON.parse(buildah('inspect', '--type=image', NAME)).Docker.config
  const env = Object.fromEntries(config.Env.map((pair) => pair.split(/=(.*)/s).slice(0, 2)))

  /** What runs a command in the image, whose root nobody can write; by default its own command. */
  function commandLine({ volume, user = config.User, command = config.Cmd }: Run) {
    const [id, group = id] = user.split(':')
    const args = ['-c', IN_CONTAINER, 'sh', root, volume, `${id}:${group}`, ...command]
    return ['unshare', '--mount', 'sh', ...args] as const
  }

  return {
    root,
    config,
    bytesAboveBase: () => bytesOf(root) - bytesOf(base),
    env,
    commandLine,
    /** Starts a command in the image, by default its own. */
    start({
      settings,
      ...options
    }: Run & { readonly settings?: Readonly<Record<string, string>> }) {
      const [file, ...args] = commandLine(options)
      return spawn(file, args, { env: { ...env, ...settings } })
    },
    [Symbol.dispose]() {
      buildah('umount', '--all')
      buildah('rm', '--all')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const CA = '/etc/extra-ca.pem'

function makeBase(base: string): void {
  const bin = join(base, 'usr/bin')
  const local = join(base, 'usr/local')
  for (const path of [bin, join(local, 'bin'), join(base, 'etc'), join(base, 'tmp')]) {
    mkdirSync(path, { recursive: true })
  }
  symlinkSync('usr/bin', join(base, 'bin'))
  const programs = PROGRAMS.map((name) => realpathSync(join('/usr/bin', name)))
  for (const [at, file] of programs.entries()) copyFileSync(file, join(bin, PROGRAMS[at] ?? ''))
  copyFileSync(process.execPath, join(local, 'bin/node'))
  const native = globSync('node_modules/{@node-rs/*,@rolldown/*,lightningcss-*}/*.node')
  for (const library of librariesOf([...programs, process.execPath, ...native])) {
    mkdirSync(dirname(join(base, library)), { recursive: true })
    copyFileSync(library, join(base, library))
  }
  const npm = realpathSync(spawnSync('which', ['npm'], { encoding: 'utf8' }).stdout.trim())
  assert.equal(basename(npm), 'npm-cli.js')
  const packages = join(local, 'lib/node_modules')
  cpSync(dirname(dirname(npm)), join(packages, 'npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'))
  const authority = process.env['NODE_EXTRA_CA_CERTS']
  if (authority) copyFileSync(authority, join(base, CA))
}

function librariesOf(programs: readonly string[]): Set<string> {
  const { stdout } = spawnSync('ldd', programs, { encoding: 'utf8' })
  return new Set([...stdout.matchAll(/\s(\/\S+) \(0x/g)].map(([, path = '']) => path))
}

function bytesOf(folder: string): number {
  const { stdout } = spawnSync('du', ['--summarize', '--bytes', folder], { encoding: 'utf8' })
  return Number.parseInt(stdout, 10)
}
