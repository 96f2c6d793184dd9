/** `npm run test:machine` runs these suites for as long as a night allows; CI has minutes for all of them. */
export const LONG = process.env['TEST_LONG'] === 'true'
