import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deviceOf } from '../../server/lib/devices.ts'

const APPLE = 'AppleWebKit/605.1.15 (KHTML, like Gecko)'
const BLINK = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const IPHONE = `Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) ${APPLE}`
const WINDOWS = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${BLINK} Chrome/141.0.0.0 Safari/537.36`
const ANDROID = `Mozilla/5.0 (Linux; Android 10; K) ${BLINK}`
const MAC = `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${APPLE}`

describe('a user agent is told by the tables', () => {
  for (const [userAgent, program, system] of [
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
      'Firefox',
      'Windows',
    ],
    ['Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', 'Firefox', 'Android'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox', 'Linux'],
    [WINDOWS, 'Chrome', 'Windows'],
    [`${WINDOWS} Edg/141.0.0.0`, 'Edge', 'Windows'],
    [`${WINDOWS} OPR/122.0.0.0`, 'Opera', 'Windows'],
    [`${WINDOWS} Vivaldi/7.6`, 'Vivaldi', 'Windows'],
    [`${WINDOWS} YaBrowser/25.8.0.0`, 'Yandex', 'Windows'],
    [`${ANDROID} Chrome/141.0.0.0 Mobile Safari/537.36`, 'Chrome', 'Android'],
    [`${ANDROID} Chrome/141.0.0.0 Mobile Safari/537.36 EdgA/141.0.0.0`, 'Edge', 'Android'],
    [
      `${ANDROID} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`,
      'Samsung Internet',
      'Android',
    ],
    [
      `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${BLINK} Chrome/141.0.0.0 Safari/537.36`,
      'Chrome',
      'ChromeOS',
    ],
    [`${MAC} Version/18.5 Safari/605.1.15`, 'Safari', 'macOS'],
    [`${IPHONE} Version/18.5 Mobile/15E148 Safari/604.1`, 'Safari', 'iPhone'],
    [
      `Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) ${APPLE} Version/12.1.2 Mobile/15E148 Safari/604.1`,
      'Safari',
      'iPad',
    ],
    [`${IPHONE} CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1`, 'Chrome', 'iPhone'],
    [`${IPHONE} FxiOS/143.0 Mobile/15E148 Safari/605.1.15`, 'Firefox', 'iPhone'],
    [`${IPHONE} EdgiOS/141.0 Version/18.0 Mobile/15E148 Safari/604.1`, 'Edge', 'iPhone'],
    // Inside apps.
    [`${IPHONE} Mobile/15E148`, null, 'iPhone'],
    [
      `Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) ${BLINK} Version/4.0 Chrome/141.0.0.0 Mobile Safari/537.36`,
      null,
      'Android',
    ],
    ['CoffeeApp/2.1 (iPhone; iOS 18.5; Scale/3.00)', null, 'iPhone'],
    ['CoffeeApp/34 CFNetwork/3826.500.131 Darwin/24.5.0', null, null],
    ['okhttp/5.1.0', null, null],
    ['Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9 Build/AP4A)', null, 'Android'],
    ['curl/8.14.1', 'curl', null],
    ['Wget/1.25.0', 'Wget', null],
  ] as const) {
    test(userAgent, () => {
      assert.deepEqual(deviceOf(userAgent), { program, system })
    })
  }

  for (const userAgent of [
    null,
    '',
    'node',
    'Your account was hacked, call +1 555 0100',
    'Mozilla/5.0',
    'Mozilla/5.0 (Windows NT 10.0)',
    'Firefox on Windows',
  ]) {
    test(`nothing is told of ${userAgent === null ? 'none' : `“${userAgent}”`}`, () => {
      assert.equal(deviceOf(userAgent), null)
    })
  }

  test('of a text without end it is told, too: more than a look at each letter would take days', () => {
    const long = `Mozilla/5.0 (iPhone) AppleWebKit${' Version/1'.repeat(2_000_000)}`

    assert.deepEqual(deviceOf(long), { program: null, system: 'iPhone' })
  })
})
