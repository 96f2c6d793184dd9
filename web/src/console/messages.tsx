import { Button, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { dataOf, shop } from '../session.ts'
import { timeOf } from '../setup.ts'
import type { Message } from './facts.ts'
import { C } from './texts.ts'

/** What a message says; of a kind that only a newer service knows, its name. */
export function kindOf({ kind }: Pick<Message, 'kind'>): string {
  const words: Readonly<Record<string, string>> = C.mailWords.kinds
  return words[kind] ?? kind
}

export function stateOf({ state }: Pick<Message, 'state'>): string {
  return C.mailWords.states[state]
}

interface ResendOptions {
  readonly onSuccess?: (message: Message) => void
  /** Reads the list again: why it was refused may be in there. */
  readonly onSettled: () => Promise<void>
}

export function useResend(options: ResendOptions) {
  return useMutation({
    ...options,
    mutationFn: async ({ id }: Message) =>
      dataOf(await shop.POST('/mail/{id}/resend', { params: { path: { id } } })),
  })
}

interface MessageProps {
  readonly message: Message
}

export function Recipient({ message }: MessageProps) {
  if (message.recipient !== null) return <bdi>{message.recipient}</bdi>
  return (
    <Text c="dimmed" inherit>
      {whyNobody(message)}
    </Text>
  )
}

interface MessageStateProps extends MessageProps {
  readonly resend: ReturnType<typeof useResend>
}

/** How it went, and, where it failed, a way to send it again. */
export function MessageState({ message, resend }: MessageStateProps) {
  const { state, due_at, last_error } = message
  const { isPending, variables, mutate } = resend
  const isFailed = state === 'bounced' || state === 'dead'
  return (
    <Stack gap={4} align="flex-start">
      <Text inherit {...(isFailed && { c: 'var(--mantine-color-error)' })}>
        {stateOf(message)}
      </Text>
      {last_error !== null && <Text inherit>{C.mail.error(last_error)}</Text>}
      {state === 'waiting' && <Text inherit>{C.mail.next(timeOf(due_at))}</Text>}
      {isFailed && (
        <Button
          variant="default"
          size="compact-sm"
          loading={isPending && variables.id === message.id}
          aria-label={C.mail.resendOf(kindOf(message), message.recipient ?? whyNobody(message))}
          onClick={() => mutate(message)}
        >
          {C.mail.resend}
        </Button>
      )}
    </Stack>
  )
}

function whyNobody({ kind, state }: Message): string {
  if (kind === 'email_code') return C.mail.noRecipient.email_code
  return state === 'waiting' ? C.mail.noRecipient.waiting : C.mail.noRecipient.other
}
