import { Paper, Stack, Text, Title } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useEffectEvent, useId, useLayoutEffect, useRef } from 'react'
import { Form } from './form.tsx'

interface DialogProps {
  readonly title: string
  readonly close: () => void
  readonly children: ReactNode
}

/** The browser keeps the focus inside, takes Escape for `close`, and puts the focus back afterwards. */
export function Dialog({ title, close, children }: DialogProps) {
  const id = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  const onClose = useEffectEvent(close)
  useLayoutEffect(() => {
    const shown = dialog.current
    const closed = () => onClose()
    shown?.addEventListener('close', closed)
    shown?.showModal()
    if (shown?.querySelector('input') === null) shown.querySelector('h2')?.focus()
    return () => {
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

interface ConfirmProps extends Omit<DialogProps, 'children'> {
  /** What it will do, and to whom. */
  readonly text: string
  readonly submit: string
  readonly isDangerous?: boolean
  readonly run: (form: FormData) => Promise<unknown>
  readonly done?: () => void
  /** Fields, such as an address to type. */
  readonly children?: (error: Error | null) => ReactNode
  /** Those that show why they were refused. */
  readonly fields?: readonly string[]
}

/** Asks before something is done, shows why it was refused, and closes when it is done. */
export function Confirm(props: ConfirmProps) {
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
  const confirm = useMutation({
    mutationFn: run,
    onSuccess: () => {
      close()
      done?.()
    },
  })
  return (
    <Dialog title={title} close={close}>
      <Text>{text}</Text>
      <Form
        sending={confirm}
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
