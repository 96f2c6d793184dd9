import { Button, PasswordInput, Stack, TextInput, type TextInputProps } from '@mantine/core'
import type { UseMutationResult } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import type { User } from '../../client/index.ts'
import { Problem, TryButton } from './page.tsx'
import { refusalOf } from './problems.ts'
import { SETUP, T } from './setup.ts'

interface FormProps<Result> {
  readonly sending: Pick<
    UseMutationResult<Result, Error, FormData>,
    'mutate' | 'error' | 'isPending'
  >
  /** Only while the form is shown, unlike the `onSuccess` of its mutation. */
  readonly done?: ((result: Result) => void) | undefined
  readonly submit: string
  /** Beside `submit`, for who does not want to go on. */
  readonly cancel?: () => void
  readonly isDangerous?: boolean
  /** Fields that show why they were refused. */
  readonly fields?: readonly string[]
  readonly children?: ReactNode
}

/** Sends one request at a time. The first refused field has the focus; all else is told above the button. */
export function Form<Result>({
  sending,
  done,
  submit,
  cancel,
  isDangerous = false,
  fields = [],
  children,
}: FormProps<Result>) {
  const { error, isPending, mutate } = sending
  const form = useRef<HTMLFormElement>(null)
  // A second click may come before `isPending` does.
  const isSent = useRef(false)
  useEffect(() => {
    if (error !== null) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }, [error])
  const isShown = fields.some((name) => refusalOf(error, `/${name}`) !== undefined)
  return (
    <form
      ref={form}
      aria-busy={isPending}
      onSubmit={(event) => {
        event.preventDefault()
        if (isSent.current) return
        isSent.current = true
        mutate(new FormData(event.currentTarget), {
          onSettled: () => (isSent.current = false),
          onSuccess: (result) => done?.(result),
        })
      }}
    >
      <Stack gap="md">
        {children}
        {error !== null && !isShown && <Problem error={error} />}
        <TryButton
          type="submit"
          error={error}
          loading={isPending}
          size="md"
          fullWidth
          {...(isDangerous && { color: 'red' })}
        >
          {submit}
        </TryButton>
        {cancel !== undefined && (
          <Button
            variant="default"
            size="md"
            fullWidth
            aria-disabled={isPending}
            data-disabled={isPending}
            onClick={() => isSent.current || cancel()}
          >
            {T.cancel}
          </Button>
        )}
      </Stack>
    </form>
  )
}

/** What a field shows when the API has refused it. */
export function refused(error: Error | null, pointer: string) {
  const sentence = refusalOf(error, pointer)
  return {
    error: sentence,
    errorProps: { role: 'alert' },
    'aria-invalid': sentence !== undefined,
  } as const
}

interface FieldProps extends Pick<TextInputProps, 'label' | 'autoComplete' | 'defaultValue'> {
  readonly error: Error | null
}

export const PLAIN = { autoCapitalize: 'none', autoCorrect: 'off', spellCheck: false } as const

/** By default, of who fills it in. */
export function EmailField({
  error,
  autoComplete = 'username',
  label = T.email,
  defaultValue = '',
}: FieldProps) {
  return (
    <TextInput
      {...PLAIN}
      size="md"
      name="email"
      type="email"
      label={label}
      defaultValue={defaultValue}
      autoComplete={autoComplete}
      required
      withAsterisk={false}
      {...refused(error, '/email')}
    />
  )
}

/** For a new password, the hint says what makes a good one. Admins need a longer one. */
export function PasswordField({
  error,
  name = 'password',
  isNew = false,
  label = T.password,
  minLength = SETUP.minLength,
}: FieldProps & { name?: string; isNew?: boolean; minLength?: string }) {
  const [visible, setVisible] = useState(false)
  return (
    <PasswordInput
      {...PLAIN}
      size="md"
      name={name}
      label={label}
      description={isNew && T.passwordHint(minLength)}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      autoComplete={isNew ? 'new-password' : 'current-password'}
      required
      withAsterisk={false}
      visible={visible}
      onVisibilityChange={setVisible}
      visibilityToggleButtonProps={{
        'aria-label': visible ? T.hide : T.show,
        'aria-hidden': false,
        tabIndex: 0,
      }}
      {...refused(error, `/${name}`)}
    />
  )
}

/** Tells a password manager whose password the form is about. */
export function Username({ of: { email } }: { of: Pick<User, 'email'> }) {
  return <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
}

/** Pasting may bring spaces or a sentence along: only digits stay. */
export function CodeField({ error }: FieldProps) {
  return (
    <TextInput
      size="md"
      name="code"
      label={T.verify.code}
      inputMode="numeric"
      autoComplete="one-time-code"
      required
      withAsterisk={false}
      onChange={({ currentTarget }) => {
        currentTarget.value = currentTarget.value.replaceAll(/\D/g, '').slice(0, 6)
      }}
      {...refused(error, '/code')}
    />
  )
}

/** The only field that may stay empty. */
export function NameField({ error, autoComplete = 'name', defaultValue = '' }: FieldProps) {
  return (
    <TextInput
      size="md"
      name="full_name"
      label={T.signUp.name}
      defaultValue={defaultValue}
      autoComplete={autoComplete}
      {...refused(error, '/full_name')}
    />
  )
}

export function fieldOf(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value : ''
}
