import {
  Alert,
  Anchor,
  Button,
  type ButtonProps,
  Group,
  Loader,
  Paper,
  Stack,
  Text,
  Title,
  VisuallyHidden,
} from '@mantine/core'
import { type ComponentProps, type ReactNode, useEffect, useId, useRef } from 'react'
import { Link } from 'wouter'
import icon from '../../server/api/public/pages/icon.svg'
import type { AccountPath, ConsolePath } from '../../server/api/public/app-paths.ts'
import { sentenceFor, waitOf } from './problems.ts'
import { SETUP, T } from './setup.ts'
import { useWait } from './wait.ts'

/** A page of one card. */
export function Frame({ children }: { children: ReactNode }) {
  return (
    <Shell>
      <Card>{children}</Card>
    </Shell>
  )
}

/** What stands above and below every page. */
export function Shell({
  className = '',
  header,
  children,
}: {
  className?: string
  /** Beside the name of the shop. */
  header?: ReactNode
  children: ReactNode
}) {
  const { base, hasDocs, shop, shopUrl } = SETUP
  return (
    <Stack className={`page ${className}`} gap="lg">
      <Group component="header" justify="space-between" gap="sm">
        <Group gap="sm" fw={600}>
          <img src={icon} alt="" width={36} height={36} />
          {shop}
        </Group>
        {header}
      </Group>
      <Stack component="main" gap="lg">
        {children}
      </Stack>
      <Stack component="footer" gap={4} align="center" mt="auto" fz="sm">
        {shopUrl && (
          <Anchor href={shopUrl} inherit underline="hover">
            {T.back(shop)}
          </Anchor>
        )}
        <Group component="nav" aria-label={T.footer.label} gap="md" justify="center">
          {hasDocs && (
            <Anchor href={`${base}/docs`} inherit c="dimmed" underline="hover">
              {T.footer.docs}
            </Anchor>
          )}
          <Anchor href={`${base}/ready`} inherit c="dimmed" underline="hover">
            {T.footer.status}
          </Anchor>
        </Group>
      </Stack>
    </Stack>
  )
}

/** A part of a page; with a title, a region that screen readers can jump to. */
export function Card({ title, children }: { title?: string; children: ReactNode }) {
  const id = useId()
  return (
    <Paper
      className="card"
      radius="lg"
      {...(title !== undefined && { component: 'section', 'aria-labelledby': id })}
    >
      <Stack gap="md">
        {title !== undefined && (
          <Title order={2} fz="h3" id={id}>
            {title}
          </Title>
        )}
        {children}
      </Stack>
    </Paper>
  )
}

/**
 * The heading of a page: names the document, and takes the focus for who does not see that it is new. When
 * only its words change, the focus stays: somebody is at work there.
 */
export function Heading({ children }: { children: string }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${children} – ${SETUP.shop}`
  }, [children])
  useEffect(() => heading.current?.focus(), [])
  return (
    <Title order={1} fz="h2" ref={heading} tabIndex={-1}>
      {children}
    </Title>
  )
}

/** The end of a way: what was done or what is missing, and where to go from here. */
export function Outcome({
  title,
  text,
  to = [],
}: {
  title: string
  text: string
  to?: readonly (readonly [path: AccountPath, words: string, state?: unknown])[]
}) {
  return (
    <>
      <Heading>{title}</Heading>
      <Text>{text}</Text>
      {to.map(([path, words, state]) => (
        <PageLink key={path} to={path} state={state}>
          {words}
        </PageLink>
      ))}
    </>
  )
}

export function PageLink({
  to,
  state,
  children,
}: {
  to: AccountPath | ConsolePath
  state?: unknown
  children: string
}) {
  return (
    <Link to={to} state={state} asChild>
      <Anchor>{children}</Anchor>
    </Link>
  )
}

/** Counts down to the next try. Screen readers tell the beginning and the end, not each second. */
export function Problem({ error }: { error: Error }) {
  const waitS = useWait(error)
  const mustWait = waitOf(error) > 0
  return (
    <Alert role="alert" color="red" variant="light">
      {waitS > 0 && <span aria-hidden>{sentenceFor(error, waitS)}</span>}
      {waitS > 0 && <VisuallyHidden>{sentenceFor(error)}</VisuallyHidden>}
      {waitS === 0 && (mustWait ? T.waited : sentenceFor(error))}
    </Alert>
  )
}

interface TryProps extends ButtonProps, Pick<ComponentProps<'button'>, 'type' | 'onClick'> {
  readonly error: Error | null
}

/** Waits as long as the error says. Disabled, it would lose the focus. */
export function TryButton({ error, onClick, ...props }: TryProps) {
  const mustWait = useWait(error) > 0
  return (
    <Button
      {...props}
      aria-disabled={mustWait}
      data-disabled={mustWait}
      onClick={(event) => {
        // Of a form, this keeps Enter in a field from sending it, too.
        if (mustWait) event.preventDefault()
        else onClick?.(event)
      }}
    />
  )
}

/** Instead of what could not be loaded. */
export function Failed({ error, again }: { error: Error; again: () => void }) {
  return (
    <>
      <Problem error={error} />
      <TryButton size="md" error={error} onClick={again}>
        {T.tryAgain}
      </TryButton>
    </>
  )
}

export function Loading() {
  return <Loader role="status" aria-label={T.loading} mx="auto" />
}
