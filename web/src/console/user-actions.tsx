import { Alert, Button, Group, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import type { User } from '../../../client/index.ts'
import { Confirm, Dialog } from '../dialog.tsx'
import { fieldOf, Form, NameField } from '../form.tsx'
import { Card, PageLink, Problem } from '../page.tsx'
import { dataOf, isCode, keepMe, shop } from '../session.ts'
import { T } from '../setup.ts'
import { requireAddress, TypedAddress } from '../typed-address.tsx'
import { C } from './texts.ts'
import type { Told } from './told.tsx'
import { type Act, actsOn } from './user-acts.ts'
import { refreshUser, refreshUsers } from './user-queries.ts'

/** What was done, in words, and how to take it back. */
export interface Done {
  readonly text: string
  readonly undo?: () => Promise<Done>
}

interface UserActionsProps {
  readonly user: User
  readonly isOwn: boolean
  readonly show: (done: Done) => void
}

/** A name may be written from right to left: isolated, it does not turn the sentence around. */
const whoIs = ({ full_name: name, email }: User) =>
  name === null ? email : `\u2068${name}\u2069 (${email})`

/** A button for each act that the state of the user permits; each asks first. */
export function UserActions({ user, isOwn, show }: UserActionsProps) {
  const [opened, open] = useState<Act | 'rename'>()
  const [, navigate] = useLocation()
  const { id, email } = user
  const { acts, actions, adminsAreTold, own, ownAccount } = C.user
  const who = whoIs(user)
  const close = () => open(undefined)

  function finish({ name, undo }: Act, isRemoved: boolean) {
    const text = acts[name].did(who)
    if (isRemoved) {
      navigate('/console/users', { state: { told: text } satisfies Told })
      return
    }
    void refreshUser(id)
    show(undo === undefined ? { text } : { text, undo: () => takeBack(user, undo) })
  }

  return (
    <Card title={actions}>
      {isOwn && (
        <Text>
          {own} <PageLink to="/">{ownAccount}</PageLink>. {T.problems.own_role}
        </Text>
      )}
      <Group gap="sm">
        <Button variant="default" onClick={() => open('rename')}>
          {acts.rename.name}
        </Button>
        {!isOwn &&
          actsOn(user).map((act) => (
            <Button
              key={act.name}
              onClick={() => open(act)}
              variant="default"
              {...(act.isDangerous === true && { c: 'var(--mantine-color-error)' })}
            >
              {acts[act.name].name}
            </Button>
          ))}
      </Group>
      {opened === 'rename' && (
        <Rename user={user} close={close} done={() => show({ text: acts.rename.did(email) })} />
      )}
      {opened !== undefined && opened !== 'rename' && (
        <Confirm
          title={acts[opened.name].name}
          text={`${acts[opened.name].will(who)}${opened.tellsAdmins === true ? ` ${adminsAreTold}` : ''}`}
          submit={acts[opened.name].name}
          isDangerous={opened.isDangerous === true}
          close={close}
          fields={['address']}
          run={async (form) => {
            if (opened.name === 'remove') requireAddress(form, email, C.user.otherAddress(email))
            await orRefresh(id, opened.run)
            return opened.name === 'remove' || (opened.name === 'revoke' && (await isGone(id)))
          }}
          done={(isRemoved) => finish(opened, isRemoved)}
        >
          {(error) =>
            opened.name === 'remove' && (
              <TypedAddress label={C.user.typeAddress(email)} error={error} />
            )
          }
        </Confirm>
      )}
    </Card>
  )
}

/** What was shown may be why something is refused; what was done may change the list and its count. */
async function orRefresh(id: number, run: () => Promise<unknown>): Promise<void> {
  try {
    await run()
    void refreshUsers()
  } catch (error) {
    void refreshUser(id)
    throw error
  }
}

/** An invitation takes its account along, unless somebody signed up with the address. */
async function isGone(id: number): Promise<boolean> {
  const { error } = await shop.GET('/users/{id}', { params: { path: { id } } })
  return error !== undefined && isCode(error, 'not_found')
}

async function takeBack(user: User, undo: Act): Promise<Done> {
  await orRefresh(user.id, undo.run)
  void refreshUser(user.id)
  return { text: C.user.acts[undo.name].did(whoIs(user)) }
}

/** Has the focus, so that it is read out, and that what takes it back is next. */
export function DoneLine({ done, show }: { done: Done; show: (done: Done) => void }) {
  const line = useRef<HTMLDivElement>(null)
  const undo = useMutation({
    mutationFn: (back: () => Promise<Done>) => back(),
    onSuccess: show,
  })
  const { reset } = undo
  useEffect(() => {
    line.current?.focus()
    reset()
  }, [done, reset])
  const { undo: back } = done
  return (
    <Alert ref={line} role="status" tabIndex={-1} variant="light">
      <Group justify="space-between" gap="sm">
        {done.text}
        {back !== undefined && (
          <Button
            variant="default"
            size="xs"
            loading={undo.isPending}
            onClick={() => undo.mutate(back)}
          >
            {C.user.undo}
          </Button>
        )}
      </Group>
      {undo.error !== null && <Problem error={undo.error} />}
    </Alert>
  )
}

interface RenameProps {
  readonly user: User
  readonly close: () => void
  readonly done: () => void
}

function Rename({ user, close, done }: RenameProps) {
  const { acts, save } = C.user
  const params = { path: { id: user.id } }
  const rename = useMutation({
    mutationFn: (form: FormData) => {
      const body = { full_name: fieldOf(form, 'full_name').trim() || null }
      return orRefresh(user.id, async () =>
        keepMe(dataOf(await shop.PATCH('/users/{id}', { params, body }))),
      )
    },
    onSuccess: () => {
      close()
      void refreshUser(user.id)
      done()
    },
  })
  const { error } = rename
  return (
    <Dialog title={acts.rename.name} close={close}>
      <Text>{acts.rename.will(user.email)}</Text>
      <Form sending={rename} submit={save} cancel={close} fields={['full_name']}>
        <NameField autoComplete="off" defaultValue={user.full_name ?? ''} error={error} />
      </Form>
    </Dialog>
  )
}
