import { TextInput } from '@mantine/core'
import { fieldOf, PLAIN, refused } from './form.tsx'
import { refusal } from './problems.ts'

interface TypedAddressProps {
  readonly label: string
  readonly error: Error | null
}

/** Before an account is deleted: who types its address knows whose it is. */
export function TypedAddress({ label, error }: TypedAddressProps) {
  return (
    <TextInput
      {...PLAIN}
      size="md"
      name="address"
      inputMode="email"
      label={label}
      autoComplete="off"
      required
      withAsterisk={false}
      {...refused(error, '/address')}
    />
  )
}

/** Throws the refusal of the field, in these words, if it has another address. */
export function requireAddress(form: FormData, email: string, words: string): void {
  const typed = fieldOf(form, 'address').trim().toLowerCase()
  if (typed !== email.toLowerCase()) throw refusal('/address', words)
}
