import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PASSWORD, type Service, startService } from '../support/service.ts'

const SIGN_UP = '/api/v1/auth/signup'
const VERIFY = '/api/v1/auth/verify'
const ann = { email: 'ann@example.com', password: PASSWORD }

async function signUp(service: Service, language?: string, email = ann.email): Promise<string> {
  const headers: Record<string, string> =
    language === undefined ? {} : { 'accept-language': language }
  const answer = await service.post(SIGN_UP, { ...ann, email }, { headers })
  assert.equal(answer.status, 201, answer.text)
  return answer.body.sign_up_id
}
const localesOf = async (service: Service) =>
  (await service.ctx.db.selectFrom('users').select('locale').execute()).map(({ locale }) => locale)

/** Delivers, and tells the subjects of what an address got so far. */
async function subjectsTo(service: Service, email = ann.email): Promise<string[]> {
  await service.deliverMail()
  return service.mailsTo(email).map(({ subject }) => subject)
}

describe('mails are written', () => {
  test('in the language of the sign-up’s Accept-Language', async () => {
    await using service = await startService()

    await signUp(service, 'de-AT,de;q=0.9,en;q=0.8')

    assert.deepEqual(await subjectsTo(service), ['Ihr Bestätigungscode für Coffee Shop'])
    const [mail] = service.mailsTo(ann.email)
    assert.match(mail?.html ?? '', /^<!doctype html>\n<html lang="de">/)
    // Scripts find the code by this line, whatever its reader reads.
    assert.match(mail?.consoleLine ?? '', /^🔑 Verification code for ann@example\.com: [0-9]{6}$/)
  })

  for (const language of [undefined, '', 'fr-FR,fr;q=0.9', '*', '\u00ff;;;,,q=', 'de;q=0']) {
    test(`in English for ${JSON.stringify(language)}`, async () => {
      await using service = await startService()

      await signUp(service, language)

      assert.deepEqual(await subjectsTo(service), ['Your Coffee Shop verification code'])
    })
  }

  test('in each attempt’s own language until one of them is proven, then in that one’s', async () => {
    await using service = await startService()
    const german = await signUp(service, 'de')
    await signUp(service, 'en')
    assert.deepEqual((await subjectsTo(service)).toSorted(), [
      'Ihr Bestätigungscode für Coffee Shop',
      'Your Coffee Shop verification code',
    ])
    assert.deepEqual(await localesOf(service), [null])

    const code = service
      .mailsTo(ann.email)
      .map(({ text }) => /lautet ([0-9]{6})/.exec(text)?.[1])
      .find((found) => found !== undefined)
    const verified = await service.post(VERIFY, { email: ann.email, code, sign_up_id: german })

    assert.equal(verified.status, 200)
    assert.deepEqual(await localesOf(service), ['de'])
  })

  test('to the owner in the owner’s language, whatever a stranger’s browser speaks', async () => {
    await using service = await startService({ HIDE_REGISTERED_EMAILS: 'on' })
    await signUp(service, 'de')
    await service.post(VERIFY, { email: ann.email, code: await service.codeFor(ann.email) })

    await signUp(service, 'en')

    assert.equal((await subjectsTo(service)).at(-1), 'Sie haben bereits ein Konto bei Coffee Shop')
  })

  test('in the user’s language when a used refresh token comes back', async () => {
    await using service = await startService()
    await signUp(service, 'de')
    await service.post(VERIFY, { email: ann.email, code: await service.codeFor(ann.email) })
    const { refresh } = await service.logIn(ann.email)
    const rotate = (token: string) => service.post('/api/v1/auth/refresh', { refresh_token: token })
    const second = await rotate(refresh)
    await rotate(second.body.refresh_token)

    assert.equal((await rotate(refresh)).status, 401)

    assert.equal(
      (await subjectsTo(service)).at(-1),
      'Wir haben eines Ihrer Geräte bei Coffee Shop abgemeldet',
    )
  })
})
