import { Paper, Stack, Text, Title } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useEffectEvent, useId, useLayoutEffect, useRef } from 'react'
import { Form } from './form.tsx'

interface DialogProps {
  readonly title: string
  readonly close: () => void
  readonly children: ReactNode
}

/**
 * The browser keeps the focus inside, takes Escape for `close`, and puts the focus back afterwards. While a
 * form in it is sent, it stays: what was asked for is done all the same.
 */
export function Dialog({ title, close, children }: DialogProps) {
  const id = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  const onClose = useEffectEvent(close)
  useLayoutEffect(() => {
    const shown = dialog.current
    const isBusy = () => shown?.querySelector('form[aria-busy=true]') != null
    const cancelled = (event: Event) => {
      if (isBusy()) event.preventDefault()
    }
    // Pressed twice, Escape closes without asking.
    const closed = () => (isBusy() ? shown?.showModal() : onClose())
    shown?.addEventListener('cancel', cancelled)
    shown?.addEventListener('close', closed)
    shown?.showModal()
    // Left alone, a browser takes the title although there is a field, or a button.
    const field = shown?.querySelector<HTMLElement>('input:not([hidden])')
    const first = field ?? shown?.querySelector('h2')
    first?.focus()
    return () => {
      shown?.removeEventListener('cancel', cancelled)
      shown?.removeEventListener('close', closed)
      shown?.close()
    }
  }, [])
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={id}>
      <Paper className="card" radius="lg">
        <Stack gap="md">
          <Title order={2} fz="h3" id={id} tabIndex={-1}>
            {title}
          </Title>
          {children}
        </Stack>
      </Paper>
    </dialog>
  )
}

interface ConfirmProps<Result> extends Omit<DialogProps, 'children'> {
  /** What it will do, and to whom. */
  readonly text: string
  readonly submit: string
  readonly isDangerous?: boolean
  readonly run: (form: FormData) => Promise<Result>
  /** Not called once the page is left. */
  readonly done?: (result: Result) => void
  /** Fields, such as an address to type. */
  readonly children?: (error: Error | null) => ReactNode
  /** Those that show why they were refused. */
  readonly fields?: readonly string[]
}

/** Asks before something is done, shows why it was refused, and closes when it is done. */
export function Confirm<Result>(props: ConfirmProps<Result>) {
  const {
    title,
    text,
    submit,
    isDangerous = false,
    close,
    run,
    done,
    children,
    fields = [],
  } = props
  const confirm = useMutation({ mutationFn: run })
  return (
    <Dialog title={title} close={close}>
      <Text>{text}</Text>
      <Form
        sending={confirm}
        done={(result) => {
          close()
          done?.(result)
        }}
        submit={submit}
        cancel={close}
        isDangerous={isDangerous}
        fields={fields}
      >
        {children?.(confirm.error)}
      </Form>
    </Dialog>
  )
}
