export const EN = {
  signedInAs: 'You are signed in as',
  admin: 'Admin',
  console: 'Open the console',
}

export type Texts = typeof EN
