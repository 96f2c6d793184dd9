import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { readConfig } from '../../server/settings/config.ts'
import { type Setting, SETTINGS } from '../../server/settings/settings.ts'
import { temporaryFolder } from '../support/process.ts'

const files = globSync('deploy/kubernetes/*.yaml')
const manifests: any[] = files.flatMap((file) =>
  parseAllDocuments(readFileSync(file, 'utf8')).map((document) => {
    assert.deepEqual(document.errors, [], file)
    return document.toJS()
  }),
)
const find = (kind: string, name: string) =>
  manifests.find((one) => one.kind === kind && one.metadata.name === name)
const api = find('Deployment', 'coffee-shop-api')
const worker = find('Deployment', 'coffee-shop-worker')
const migration = find('Job', 'coffee-shop-migrate')
const settings: Record<string, string> = find('ConfigMap', 'coffee-shop-settings').data
const pods = [api, worker, migration].map(({ spec }) => spec.template)
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

/** The keys of the secret, which `kubectl create secret` of the comment makes. */
const secretKeys = [
  ...readFileSync('deploy/kubernetes/settings.yaml', 'utf8').matchAll(/--from-literal=([\w-]+)=/g),
].map(([, key = '']) => key)

describe('deploy/kubernetes', () => {
  test('sets settings that exist, as texts, and secrets only as files', () => {
    for (const [name, value] of Object.entries(settings)) {
      assert.equal(typeof value, 'string', name)
      const [plain = '', isFile] = name.split(/(_FILE)$/)
      const setting = (SETTINGS as Record<string, Setting<unknown>>)[plain]
      assert.ok(setting !== undefined, name)
      assert.equal(isFile !== undefined, setting.secret === true, name)
    }
  })

  test('gives every process a configuration that starts, with the secrets that its comment makes', () => {
    using folder = temporaryFolder()
    const values: Record<string, string> = {
      'secret-key': 'kU6fR2xv9QmT4bNc8wLz1HsY7dJp3GaE',
      'jwt-secret-key': 'Zq3vT8nXw5RkB2yHc7LmD4sJf9PgA6uE',
      'database-url': 'postgresql://coffee_shop:f00dba11@postgres/coffee_shop?sslmode=verify-full',
      'mail-url': 'smtp://shop:f00dba11@mail.example.com:587',
    }
    assert.deepEqual(secretKeys.toSorted(), Object.keys(values).toSorted())
    for (const [name, value] of Object.entries(values))
      writeFileSync(join(folder.path, name), value)
    const given = Object.entries(settings).map(([name, value]) => {
      return [name, name.endsWith('_FILE') ? join(folder.path, basename(value)) : value]
    })

    const { config } = readConfig(Object.fromEntries(given))

    assert.equal(config.host, '0.0.0.0')
    assert.equal(config.migrate, false)
    assert.equal(config.worker, 'separate')
    assert.equal(config.shutdownDelayMs, 5000)
  })

  test('mounts the secret where the settings look for it', () => {
    const paths = Object.entries(settings).filter(([name]) => name.endsWith('_FILE'))
    for (const { spec } of pods) {
      const [container] = spec.containers
      assert.deepEqual(container.envFrom, [{ configMapRef: { name: 'coffee-shop-settings' } }])
      const volumes = Object.fromEntries(spec.volumes.map((volume: any) => [volume.name, volume]))
      assert.equal(volumes.secrets.secret.secretName, 'coffee-shop-secrets')
      const { mountPath } = container.volumeMounts.find((mount: any) => mount.name === 'secrets')
      for (const [name, path] of paths)
        assert.ok(secretKeys.includes(path.replace(`${mountPath}/`, '')), name)
    }
  })

  test('runs any user on a read-only root, without privileges, tokens or service links', () => {
    for (const { spec } of pods) {
      assert.equal(spec.enableServiceLinks, false)
      assert.equal(spec.automountServiceAccountToken, false)
      assert.equal(spec.securityContext.runAsNonRoot, true)
      assert.ok(spec.securityContext.runAsUser > 1000)
      assert.deepEqual(spec.containers[0].securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
    }
  })

  test('runs the image’s command, also to work and to migrate', () => {
    const [, line = '[]'] = /^CMD (.*)$/m.exec(readFileSync('Dockerfile', 'utf8')) ?? []
    const command = JSON.parse(line)
    const commands = pods.map(({ spec }) => spec.containers[0].command)
    assert.deepEqual(commands, [undefined, [...command, 'work'], [...command, 'migrate']])
    const images = new Set(pods.map(({ spec }) => spec.containers[0].image))
    assert.deepEqual([...images], [`registry.example.com/coffee-shop-api:${version}`])
  })

  test('gives each process the time that its stop takes', () => {
    const delayS = Number(settings['SHUTDOWN_DELAY_SECONDS'])
    const main = readFileSync('server/main.ts', 'utf8')
    const seconds = (name: string) =>
      Number(new RegExp(`const ${name} = (\\d+) \\* SECOND_MS`).exec(main)?.[1])
    const graceS = ({ spec }: any) => spec.template.spec.terminationGracePeriodSeconds
    assert.ok(graceS(api) >= delayS + seconds('SHUTDOWN_MS') + 5)
    assert.ok(graceS(worker) >= seconds('WORK_SHUTDOWN_MS') + 5)
  })

  test('probes paths that exist, on the port that listens', () => {
    const { paths } = JSON.parse(readFileSync('docs/openapi.json', 'utf8'))
    const [container] = api.spec.template.spec.containers
    const metrics = { name: 'metrics', containerPort: Number(settings['METRICS_PORT']) }
    const http = { name: 'http', containerPort: Number(settings['PORT']) }
    assert.deepEqual(container.ports, [http, metrics])
    const { startupProbe, livenessProbe, readinessProbe } = container
    for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
      assert.ok(httpGet.path in paths, httpGet.path)
      assert.equal(httpGet.port, 'http')
    }
    assert.equal(livenessProbe.httpGet.path, '/health')
    assert.equal(readinessProbe.httpGet.path, '/ready')
    // Of its own two seconds for the database nothing may be cut off.
    assert.ok(readinessProbe.timeoutSeconds > 2)
    const [working] = worker.spec.template.spec.containers
    assert.deepEqual(working.ports, [metrics])
    for (const { httpGet } of [working.startupProbe, working.livenessProbe])
      assert.deepEqual(httpGet, { path: '/health', port: 'metrics' })
  })

  test('opens the metrics to Prometheus only', () => {
    for (const name of ['coffee-shop-api', 'coffee-shop-worker']) {
      const { policyTypes, ingress } = find('NetworkPolicy', name).spec
      assert.deepEqual(policyTypes, ['Ingress'])
      const rules = ingress.filter(({ ports }: any) =>
        ports.some(({ port }: any) => port === 'metrics'),
      )
      const monitoring = { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } }
      assert.deepEqual(
        rules.map(({ from }: any) => from),
        [[{ namespaceSelector: monitoring }]],
      )
    }
  })

  test('selects its own pods, and no others', () => {
    const labels = ({ spec }: any) => spec.template.metadata.labels
    const selectors = [
      [find('Service', 'coffee-shop-api').spec.selector, api],
      [find('PodDisruptionBudget', 'coffee-shop-api').spec.selector.matchLabels, api],
      [find('NetworkPolicy', 'coffee-shop-api').spec.podSelector.matchLabels, api],
      [find('NetworkPolicy', 'coffee-shop-worker').spec.podSelector.matchLabels, worker],
      [api.spec.selector.matchLabels, api],
      [worker.spec.selector.matchLabels, worker],
    ] as const
    for (const [selector, owner] of selectors) assert.deepEqual(selector, labels(owner))
    assert.notDeepEqual(labels(api), labels(worker))
    assert.equal(find('Service', 'coffee-shop-api').spec.ports[0].targetPort, 'http')
  })
})
