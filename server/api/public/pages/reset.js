import { TEXTS } from '../{{texts.js}}'

const language = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in TEXTS)
/** Those of the latest link; an invitation has some of its own. */
let texts = TEXTS[language ?? 'en']
const one = (id) => document.getElementById(id)
const input = one('password')
const shortest = input.minLength
const shop = document.title

/** The token of the latest link; it is stored only here. */
let token = ''

document.documentElement.lang = language ?? 'en'
one('form').addEventListener('submit', (event) => {
  event.preventDefault()
  void once(one('save'), choose)
})
one('show').addEventListener('click', toggle)
one('take-back').addEventListener('click', () => void once(one('take-back'), takeBack))
input.addEventListener('input', () => complain(''))
// A second link that is opened in the same tab changes only the fragment.
addEventListener('hashchange', start)
start()

/** Removes the token from the address bar and the history immediately and shows the matching form. */
function start() {
  const fragment = new URLSearchParams(location.hash.slice(1))
  const [reset, undo] = [fragment.get('token'), fragment.get('undo')]
  if (location.hash !== '') history.replaceState(null, '', location.pathname)
  else if (token !== '') return
  token = reset ?? undo ?? ''
  word(fragment.get('for') === 'invitation')
  if (reset) show('choose')
  else if (undo) show('undo')
  else finish('empty')
}

function word(isInvitation) {
  const { invited, ...usual } = TEXTS[language ?? 'en']
  texts = isInvitation ? { ...usual, ...invited } : usual
  for (const element of document.querySelectorAll('[data-text]')) {
    const text = texts[element.dataset.text]
    element.textContent = typeof text === 'string' ? text : text(shortest, shop)
  }
}

async function choose() {
  const password = input.value
  if ([...password.normalize('NFC')].length < shortest) {
    complain(texts.refused.too_short(shortest))
    return
  }
  const problem = await post('auth/password/reset', { token, password })
  if (problem === undefined) finish('done')
  else if (problem.code === 'invalid_reset_token') finish('lost')
  else complain(wordsFor(problem))
}

async function takeBack() {
  const problem = await post('auth/email/undo', { token })
  if (problem === undefined) finish('undone')
  else if (problem.code === 'invalid_undo_token') finish('undoLost')
  else one('undo-problem').textContent = wordsFor(problem)
}

/** Returns undefined on success, otherwise the problem; `seconds` is the time to wait before a retry. */
async function post(path, body) {
  try {
    const answer = await fetch(`api/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      credentials: 'omit',
    })
    const problem = await answer.json().catch(() => ({}))
    if (answer.ok) return undefined
    const seconds = Number(answer.headers.get('retry-after') ?? 60)
    return { ...problem, status: answer.status, seconds }
  } catch {
    return { status: 0 }
  }
}

function wordsFor({ status, seconds, errors = [] }) {
  const [refused] = errors
  if (status === 0) return texts.offline
  if (status === 429) return texts.later(seconds)
  if (status === 503) return texts.busy
  if (refused === undefined) return texts.broken
  // The minimum for admins is longer than the page knows; the API reports it.
  const min = /\d+/.exec(refused.detail)?.[0] ?? shortest
  return texts.refused[refused.code]?.(min, refused.detail) ?? refused.detail
}

/** Allows one request at a time: a second press during a request does nothing. */
async function once(button, work) {
  if (button.ariaDisabled === 'true') return
  const words = button.textContent
  button.ariaDisabled = 'true'
  button.textContent = texts.sending
  one('status').textContent = texts.sending
  await work()
  one('status').textContent = ''
  button.textContent = words
  button.ariaDisabled = null
}

function complain(words) {
  one('problem').textContent = words
  input.ariaInvalid = words === '' ? null : 'true'
  if (words !== '') input.focus()
}

function toggle() {
  const visible = input.type === 'text'
  input.type = visible ? 'password' : 'text'
  one('show').ariaPressed = String(!visible)
  one('show').textContent = visible ? texts.show : texts.hide
  one('status').textContent = visible ? texts.hidden : texts.shown
  input.focus()
}

/** Shows the final message and forgets the token. */
function finish(outcome) {
  token = ''
  input.value = ''
  one('end-title').textContent = texts[`${outcome}Title`]
  one('end-text').textContent = texts[`${outcome}Text`]
  show('end')
}

function show(id) {
  for (const section of document.querySelectorAll('section')) section.hidden = section.id !== id
  complain('')
  const title = one(id).querySelector('h1')
  document.title = `${title.textContent} – ${shop}`
  title.focus()
}
