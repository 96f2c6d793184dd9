import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { STEPS } from '../../scripts/check.ts'

const script = readFileSync('.ci/run', 'utf8')
const { scripts, dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))

describe('continuous integration', () => {
  test('the workflow runs .ci/run on a checkout, and nothing else', () => {
    const workflow = parse(readFileSync('.github/workflows/ci.yml', 'utf8'))
    assert.deepEqual(workflow.permissions, { contents: 'read' })
    assert.ok('pull_request' in workflow.on && 'push' in workflow.on)
    const jobs = Object.values<{ steps: { uses?: string; run?: string }[] }>(workflow.jobs)
    const steps = jobs.flatMap((job) => job.steps.map(({ uses, run }) => run ?? uses))
    assert.deepEqual(steps, ['actions/checkout@v4', 'bash .ci/run'])
  })

  test('.ci/run is bash that stops at the first failure and says CI=true', () => {
    assert.match(script, /^#!\/usr\/bin\/env bash\n(#.*\n)*set -euo pipefail\n/)
    assert.match(script, /^export CI=true$/m)
    assert.ok(statSync('.ci/run').mode & 0o100)
    assert.equal(spawnSync('bash', ['-n', '.ci/run']).status, 0)
  })

  test('.ci/run installs, tests as the README says, then runs the rest of the list', () => {
    const commands = script.split('\n').filter((line) => line.startsWith('npm '))
    assert.deepEqual(commands, ['npm ci', 'npm test', "npm run -s check -- --without 'npm test'"])
  })

  test('the list has the build, types, lint, format, unused code, documents and both suites, the slow one last', () => {
    assert.deepEqual(
      STEPS.map((step) => step.replace('npm run -s ', '')),
      [
        'build',
        'typecheck',
        'lint',
        'format:check',
        'lint:unused',
        'docs -- --check',
        'lint:openapi',
        'npm test',
        'test:slow',
      ],
    )
  })

  test('check refuses to leave out a step that it does not have', () => {
    const { status, stderr } = spawnSync(process.execPath, [
      'scripts/check.ts',
      '--without',
      'tests',
    ])
    assert.equal(status, 2)
    assert.match(String(stderr), /There is no step tests/)
  })

  test('measurements are in no list: what else runs on a machine makes them wrong', () => {
    assert.equal(typeof scripts['test:machine'], 'string')
    for (const step of STEPS) assert.doesNotMatch(step, /machine/)
    assert.doesNotMatch(script, /test:machine/)
  })

  test('npm start is one plain command', () => {
    assert.equal(scripts.start, 'node --import ./server/require-node.mjs server/main.ts')
  })

  test('an installation builds the web app, unless its packages were left out', () => {
    assert.equal(scripts.prepare, 'node web/prepare.mjs')
    assert.equal(scripts.build, 'node web/build.ts')
  })

  test('the Node of npm ci, of .node-version and of the check at start are one', () => {
    const runtime = JSON.parse(readFileSync('tools/node-runtime/package.json', 'utf8'))
    const version = readFileSync('.node-version', 'utf8').trim()
    assert.deepEqual([...new Set(Object.values(runtime.optionalDependencies))], [version])
    assert.equal(process.versions.node, version)
    const [major, minor] = version.split('.')
    assert.ok(
      readFileSync('server/require-node.mjs', 'utf8').includes(`Node ${major}.${minor} or newer`),
    )
    assert.equal(devDependencies['node-runtime'], 'file:tools/node-runtime')
    assert.equal(dependencies['node-runtime'], undefined)
  })
})
