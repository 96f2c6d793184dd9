import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DEVICE_EN, deviceName } from '../../web/src/device-name.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

describe('a device is named', () => {
  for (const [what, userAgent, name] of [
    ['by browser and system', FIREFOX, 'Firefox on Linux'],
    ['without a system', 'curl/8.14.1', 'curl'],
    ['as an app', 'CoffeeApp/2.1 (iPhone; iOS 18.5; Scale/3.00)', 'App on iPhone'],
    ['by what it says of itself', ' my till ', 'my till'],
    ['by no more than sixty letters', '☕'.repeat(61), `${'☕'.repeat(60)}…`],
    ['as unknown when it says nothing', ' ', 'Unknown device'],
    ['as unknown when it was not asked', null, 'Unknown device'],
  ] as const) {
    test(what, () => {
      assert.equal(deviceName(userAgent, DEVICE_EN), name)
    })
  }
})
