import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { contrast, LAUNCH, missingBrowser, PATIENCE_MS, watch } from '../support/browser.ts'
import { type Program, startProgram } from '../support/process.ts'
import { PASSWORD, SETTINGS } from '../support/service.ts'
import { fetchPatiently } from '../support/until.ts'

const NEW_PASSWORD = 'a new battery for the horse'
const ADMIN_PASSWORD = 'a rather long password of an admin'
const PHONE = { width: 320, height: 640 }

describe('the page of mailed links in a browser', { skip: missingBrowser }, () => {
  let program: Program
  let url: string
  let browser: Browser
  let people = 0
  before(async () => {
    const env = {
      ...SETTINGS,
      DATABASE_URL: 'sqlite:///:memory:',
      PORT: '0',
      RATE_LIMIT: 'off',
      SHOP_NAME: 'Bean & Leaf',
      SHOP_URL: 'https://shop.example/',
      ADMIN_EMAIL: 'boss@example.com',
      ADMIN_PASSWORD,
    }
    program = startProgram({ env })
    url = await program.url()
    browser = await chromium.launch(LAUNCH)
  })
  after(async () => {
    await browser.close()
    await program[Symbol.asyncDispose]()
  })

  async function send(path: string, body: object, token?: string) {
    const answer = await fetchPatiently(`${url}/api/v1/${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const logIn = (email: string, password: string) => send('auth/login', { email, password })

  /** Somebody who forgot the password, with the link that was mailed. */
  async function whoForgot(): Promise<{ email: string; hash: string }> {
    const email = `ann${++people}@example.com`
    await send('auth/signup', { email, password: PASSWORD })
    await send('auth/password/forgot', { email })
    const printed = new RegExp(`Password reset link for ${email}: \\S+/reset(#token=\\S+)`)
    return { email, hash: (await program.printed(printed))[1] ?? '' }
  }

  /** Somebody whom the admin invited, with the link that was mailed. */
  async function whoIsInvited(): Promise<{ email: string; hash: string }> {
    const email = `invited${++people}@example.com`
    const { body } = await logIn('boss@example.com', ADMIN_PASSWORD)
    const answer = await send('users', { email }, body.access_token)
    assert.equal(answer.status, 201)
    const printed = new RegExp(`Invitation for ${email}: \\S+/reset(#token=\\S+)`)
    return { email, hash: (await program.printed(printed))[1] ?? '' }
  }

  async function open(hash: string, options: BrowserContextOptions = {}) {
    const page = await browser.newPage({ locale: 'en-GB', viewport: PHONE, ...options })
    page.setDefaultTimeout(PATIENCE_MS)
    const complaints = watch(page, url)
    await page.goto(`${url}/reset${hash}`)
    return { page, complaints, [Symbol.asyncDispose]: () => page.close() }
  }
  const heading = (page: Page, name: string) => page.getByRole('heading', { name }).waitFor()

  test('sets a new password, and leaves the token in no address and no history', async () => {
    const { email, hash } = await whoForgot()
    await using opened = await open(hash)
    const { page, complaints } = opened

    await heading(page, 'Choose a new password')
    const address = page.url()
    await page.getByLabel('New password').fill(NEW_PASSWORD)
    await page.getByRole('button', { name: 'Set password' }).click()
    await heading(page, 'Your new password is set')
    await page.reload()
    await heading(page, 'Open the link from the email')
    const back = page.getByRole('link', { name: 'Back to Bean & Leaf' })

    assert.equal(await back.getAttribute('href'), 'https://shop.example')
    assert.equal(await page.title(), 'Open the link from the email – Bean & Leaf')
    assert.equal(address, `${url}/reset`)
    assert.equal((await logIn(email, NEW_PASSWORD)).status, 200)
    assert.equal((await logIn(email, PASSWORD)).status, 401)
    assert.deepEqual(complaints, [])
    const stored = await page.evaluate<number>('localStorage.length + sessionStorage.length')
    assert.equal(stored + (await page.context().cookies()).length, 0)
  })

  test('tells password managers whose password it is, as far as the link knows', async () => {
    const invitation = '#token=x&for=invitation&email=ann%2Bshop%40example.com'
    for (const [hash, expected] of [
      ['#token=x&email=ann%40example.com', ['ann@example.com']],
      [invitation, ['ann+shop@example.com']],
      ['#token=x', []],
    ] as const) {
      await using opened = await open(hash)
      const { page } = opened
      await page.locator('[autocomplete=new-password]').waitFor()

      const names = await page
        .locator('form [autocomplete=username]')
        .evaluateAll((inputs) => inputs.map((input) => input.getAttribute('value')))

      assert.deepEqual(names, expected)
      assert.equal(page.url(), `${url}/reset`)
    }
  })

  test('changes nothing by being opened, twice or with another link after it', async () => {
    const [ann, bob] = [await whoForgot(), await whoForgot()]
    await using opened = await open(ann.hash)
    const { page } = opened
    await page.goto(`${url}/reset${bob.hash}`)
    await page.goto(`${url}/reset${ann.hash}`)

    await page.getByLabel('New password').fill(NEW_PASSWORD)
    await page.keyboard.press('Enter')
    await heading(page, 'Your new password is set')

    assert.equal((await logIn(ann.email, NEW_PASSWORD)).status, 200)
    assert.equal((await logIn(bob.email, NEW_PASSWORD)).status, 401)
  })

  test('says in the reader’s language, at the field, why a password is refused, and tries again', async () => {
    const { email, hash } = await whoForgot()
    await using opened = await open(hash, { locale: 'de-AT' })
    const { page } = opened
    const field = page.getByLabel('Neues Passwort', { exact: true })
    const problem = page.getByRole('alert').filter({ hasText: /./ })
    const refusals: (string | null)[] = []

    for (const password of ['kurz', 'password123']) {
      await field.fill(password)
      await page.getByRole('button', { name: 'Passwort festlegen' }).click()
      refusals.push(await problem.textContent())
      assert.equal(await field.getAttribute('aria-invalid'), 'true')
      const described = (await field.getAttribute('aria-describedby')) ?? ''
      assert.ok(described.split(' ').includes((await problem.getAttribute('id')) ?? ''), described)
      assert.ok(await field.evaluate((element) => element === element.ownerDocument.activeElement))
    }
    await field.fill(NEW_PASSWORD)
    await page.getByRole('button', { name: 'Passwort festlegen' }).click()
    await heading(page, 'Ihr neues Passwort ist festgelegt')

    assert.match(refusals[0] ?? '', /mindestens 8 Zeichen/)
    assert.match(refusals[1] ?? '', /zu häufig/)
    assert.equal(await page.evaluate('document.documentElement.lang'), 'de')
    assert.equal((await logIn(email, NEW_PASSWORD)).status, 200)
  })

  test('accepts an invitation in words of its own, also after another link in the same tab', async () => {
    const [ann, bob] = [await whoForgot(), await whoIsInvited()]
    await using opened = await open(ann.hash, { locale: 'de-AT' })
    const { page, complaints } = opened
    await heading(page, 'Neues Passwort wählen')
    await page.goto(`${url}/reset${bob.hash}`)

    await heading(page, 'Passwort wählen')
    const [address, intro] = [page.url(), await page.getByText('Damit ist Ihr Konto').textContent()]
    await page.getByLabel('Passwort', { exact: true }).fill(NEW_PASSWORD)
    await page.getByRole('button', { name: 'Passwort festlegen' }).click()
    await heading(page, 'Ihr Konto ist eingerichtet')

    assert.equal(address, `${url}/reset`)
    assert.match(intro ?? '', /Bean & Leaf/)
    assert.equal((await logIn(bob.email, NEW_PASSWORD)).status, 200)
    assert.deepEqual(complaints, [])
  })

  test('says what to do with a link that was used', async () => {
    const { hash } = await whoForgot()
    const token = hash.slice('#token='.length)
    await send('auth/password/reset', { token, password: NEW_PASSWORD })
    await using opened = await open(hash)

    await opened.page.getByLabel('New password').fill('yet another password')
    await opened.page.getByRole('button', { name: 'Set password' }).click()

    await heading(opened.page, 'This link is no longer valid')
    await opened.page.getByText('Request another link and open').waitFor()
  })

  test('keeps what was typed when the network fails, and sends it when it is back', async () => {
    const { email, hash } = await whoForgot()
    await using opened = await open(hash)
    const { page } = opened
    const button = page.getByRole('button', { name: 'Set password' })
    await page.getByLabel('New password').fill(NEW_PASSWORD)

    await page.context().setOffline(true)
    await button.click()
    await page.getByText('cannot be reached').waitFor()
    await page.context().setOffline(false)
    await button.click()
    await heading(page, 'Your new password is set')

    assert.equal((await logIn(email, NEW_PASSWORD)).status, 200)
  })

  test('shows and hides what is typed', async () => {
    await using opened = await open('#token=x')
    const { page } = opened
    const field = page.getByLabel('New password')
    const type = () => field.getAttribute('type')
    const types = [await type()]

    await page.getByRole('button', { name: 'Show' }).click()
    types.push(await type())
    await page.getByRole('button', { name: 'Hide' }).click()
    types.push(await type())

    assert.deepEqual(types, ['password', 'text', 'password'])
    assert.equal(await field.getAttribute('autocomplete'), 'new-password')
  })

  test('takes a change of the address back only when the button is pressed', async () => {
    const [email, thiefs] = [`ann${++people}@example.com`, `eve${people}@example.com`]
    const codeFor = async (address: string) =>
      (await program.printed(new RegExp(`code for ${address}: ([0-9]{6})`)))[1] ?? ''
    await send('auth/signup', { email, password: PASSWORD })
    await send('auth/verify', { email, code: await codeFor(email) })
    const { body: tokens } = await logIn(email, PASSWORD)
    const change = { email: thiefs, current_password: PASSWORD }
    await send('me/email', change, tokens.access_token)
    await send('me/email/confirm', { code: await codeFor(thiefs) }, tokens.access_token)
    const [, hash = ''] = await program.printed(/\/reset(#undo=\S+)/)
    await using opened = await open(hash)
    const { page, complaints } = opened

    await heading(page, 'Undo the change of your address?')
    const onOpening = (await logIn(thiefs, PASSWORD)).status
    await page.getByRole('button', { name: 'Undo the change' }).click()
    await heading(page, 'The change was undone')

    assert.equal(onOpening, 200)
    assert.equal((await logIn(thiefs, PASSWORD)).status, 401)
    assert.equal(page.url(), `${url}/reset`)
    assert.deepEqual(complaints, [])
    await program.printed(new RegExp(`Password reset link for ${email}: `))
  })

  test('says what it needs where scripts are off, and has no form to send anything', async () => {
    await using opened = await open('#token=x', { javaScriptEnabled: false })

    await heading(opened.page, 'JavaScript is disabled')

    assert.equal(await opened.page.locator('form').isVisible(), false)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [what, hash] of [
      ['the form', '#token=x'],
      ['the undoing', '#undo=x'],
      ['nothing to do', ''],
    ] as const) {
      test(`is readable, ${colorScheme}, on the smallest phone: ${what}`, async () => {
        await using opened = await open(hash, { colorScheme, locale: 'de' })
        const { page, complaints } = opened

        const seen = await page.evaluate<Seen>(SEEN)

        assert.ok(seen.texts.length >= 3)
        for (const { text, color, ground } of seen.texts)
          assert.ok(contrast(color, ground) >= 4.5, `${text}: ${color} on ${ground}`)
        assert.ok(seen.width <= PHONE.width, `${seen.width} pixels wide`)
        for (const height of seen.heights) assert.ok(height >= 40, `a button of ${height} pixels`)
        assert.deepEqual(complaints, [])
      })
    }
  }
})

interface Seen {
  readonly texts: readonly { text: string; color: string; ground: string }[]
  readonly width: number
  readonly heights: readonly number[]
}

/** Every visible text with its colours, how wide the page became, and how high its buttons are. */
const SEEN = `(() => {
  const visible = (of) => of.checkVisibility() && of.textContent.trim() !== ''
  const groundOf = (of) => {
    const ground = getComputedStyle(of).backgroundColor
    return ground === 'rgba(0, 0, 0, 0)' ? groundOf(of.parentElement) : ground
  }
  const all = [...document.querySelectorAll('h1, p, label, button, a')].filter(visible)
  return {
    texts: all.map((of) => ({
      text: of.textContent,
      color: getComputedStyle(of).color,
      ground: groundOf(of),
    })),
    width: document.documentElement.scrollWidth,
    heights: all.filter((of) => of.matches('main button')).map((of) => of.offsetHeight),
  }
})()`
