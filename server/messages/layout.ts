import type { Config } from '../settings/config.ts'
import type { Locale } from '../lib/locales.ts'

/** The shop that appears as the sender. */
export type Shop = Config['shop']

/**
 * A paragraph of a mail in plain text; the layout escapes it, so no text can become HTML. `before` and
 * `after` are the words around a code or a link.
 */
export type Block =
  | string
  | { readonly before: string; readonly code: string; readonly after: string }
  | { readonly before: string; readonly link: string }
  | { readonly warning: string }

/** The text of a mail in one language. */
export interface Wording {
  readonly subject: string
  readonly blocks: readonly Block[]
}

/** The mail as plain text and as HTML, with a link to the shop at the end if it has a URL. */
export function layOut(
  { name, url }: Shop,
  { subject, blocks }: Wording,
  locale: Locale,
): { subject: string; text: string; html: string } {
  const all = url === undefined ? blocks : [...blocks, { before: name, link: url }]
  const text = `${all.map(toText).join('\n\n')}\n`
  const content = all.map(toHtml).join('\n')
  return { subject, text, html: toPage({ name, subject, content, locale }) }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Safe in the text and in the quoted attributes of HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
}

function toText(block: Block): string {
  if (typeof block === 'string') return block
  if ('warning' in block) return block.warning
  if ('code' in block) return `${block.before} ${block.code}. ${block.after}`
  return `${block.before}\n${block.link}`
}

// No text or background colour is set, so the light or dark colours of the mail client stay readable.
const PAGE =
  'max-width:32em;margin:0 auto;padding:24px 16px;font-family:system-ui,-apple-system,Segoe UI,Roboto,sans-serif;font-size:16px;line-height:1.5;overflow-wrap:anywhere'
const BRAND =
  'margin:0 0 24px;padding:0 0 8px;border-bottom:3px solid #a5713c;font-size:18px;font-weight:bold'
const PARAGRAPH = 'margin:0 0 16px'
const CODE =
  'margin:0 0 16px;padding:12px 8px;border:1px solid #888888;border-radius:8px;text-align:center;font-family:ui-monospace,Consolas,monospace;font-size:32px;font-weight:bold;letter-spacing:6px'
const WARNING = 'margin:0 0 16px;padding:0 0 0 12px;border-left:3px solid #a5713c;font-weight:bold'

function toHtml(block: Block): string {
  if (typeof block === 'string') return paragraph(block)
  if ('warning' in block) return paragraph(block.warning, WARNING)
  if ('code' in block) {
    return [paragraph(block.before), paragraph(block.code, CODE), paragraph(block.after)].join('\n')
  }
  const link = escapeHtml(block.link)
  return `<p style="${PARAGRAPH}">${escapeHtml(block.before)}<br><a href="${link}">${link}</a></p>`
}

function paragraph(text: string, style = PARAGRAPH): string {
  return `<p style="${style}">${escapeHtml(text)}</p>`
}

interface Page {
  readonly name: string
  readonly subject: string
  readonly content: string
  readonly locale: Locale
}

function toPage({ name, subject, content, locale }: Page): string {
  return `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no">
<title>${escapeHtml(subject)}</title>
</head>
<body style="margin:0">
<div style="${PAGE}">
<p style="${BRAND}">${escapeHtml(name)}</p>
${content}
</div>
</body>
</html>
`
}
