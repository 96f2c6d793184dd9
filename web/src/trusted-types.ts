interface TrustedTypes {
  createPolicy(name: 'default', rules: { createHTML(text: string): string }): unknown
}

/** The only policy that the CSP allows. Mantine writes the text of styles as if it were HTML. */
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
trustedTypes?.createPolicy('default', {
  createHTML(text) {
    if (text.includes('<')) throw new TypeError('markup is made by React only')
    return text
  },
})
