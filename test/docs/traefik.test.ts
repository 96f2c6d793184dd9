import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { SETTINGS } from '../../server/settings/settings.ts'
import { startService } from '../support/service.ts'

// Debian has no Traefik, which could run its samples as test/slow/caddy.test.ts runs those of Caddy.

const read = (name: string) => parse(readFileSync(`deploy/traefik/${name}`, 'utf8'))
const fixed = read('traefik.yml')
const { routers, services } = read('accounts.yml').http
const { loadBalancer } = services.accounts
const secondsOf = (text: string) => Number(/^([0-9]+)s$/.exec(text)?.[1])

test('the samples for Traefik name only what they define', () => {
  for (const { entryPoints, service, tls } of Object.values<any>(routers)) {
    assert.ok(entryPoints.every((name: string) => name in fixed.entryPoints))
    assert.ok(service in services)
    assert.ok(tls.certResolver in fixed.certificatesResolvers)
  }
  assert.equal(fixed.providers.file.filename, '/etc/traefik/accounts.yml')
})

test('they ask the port of the service, and a route that it has', async () => {
  await using service = await startService()

  for (const { url } of loadBalancer.servers)
    assert.equal(new URL(url).port, String(SETTINGS.PORT.default))
  assert.equal((await service.get(loadBalancer.healthCheck.path)).status, 200)
})

test('they notice a stop during its delay, and cut no answer of /ready off', () => {
  const text = readFileSync('deploy/traefik/accounts.yml', 'utf8')
  const delay = Number(/SHUTDOWN_DELAY_SECONDS=([0-9]+)/.exec(text)?.[1])
  const { interval, timeout } = loadBalancer.healthCheck
  assert.ok(secondsOf(interval) < delay)
  assert.ok(secondsOf(timeout) > 2)
})

test('they believe no client, and give connections up before the service does', async () => {
  await using service = await startService()

  for (const entryPoint of Object.values<any>(fixed.entryPoints))
    assert.equal(entryPoint.forwardedHeaders, undefined)
  const idleSeconds = secondsOf(fixed.serversTransport.forwardingTimeouts.idleConnTimeout)
  assert.ok(idleSeconds * 1000 < service.app.server.keepAliveTimeout)
})
