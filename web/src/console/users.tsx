import { Alert, Anchor, Button, Group, NativeSelect, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useLocation, useSearch, useSearchParams } from 'wouter'
import { type paths, ShopError } from '../../../client/index.ts'
import { Card, Heading } from '../page.tsx'
import { dataOf, isCode, shop } from '../session.ts'
import { numberOf } from '../setup.ts'
import { useAddress } from './address.ts'
import type { FromList } from './back-to-users.tsx'
import { FRESH } from './fresh.ts'
import { SearchField } from './search-field.tsx'
import { List, type ListPage, listPageOf } from './table.tsx'
import { C } from './texts.ts'
import { columnsOf } from './user-columns.tsx'

type Query = NonNullable<paths['/api/v1/users']['get']['parameters']['query']>

const LIMIT = 50
/** Who has just come is looked for most often. */
const SORT = '-created_at'
const COUNT_STALE_MS = 60_000
const U = C.users

/** The address has all that is asked for: a link shows the same list to every admin. */
export function UsersPage() {
  const [search] = useSearchParams()
  const shown = useSearch()
  const from: FromList = { list: shown === '' ? '' : `?${shown}` }
  const asked = (name: string) => search.get(name) ?? ''
  const q = asked('q').trim()
  const after = asked('after')
  const filters = given({ role: asked('role'), is_verified: asked('is_verified') })
  const query = { ...filters, ...given({ q, after, sort: asked('sort') || SORT }), limit: LIMIT }
  const users = useQuery({
    ...FRESH,
    queryKey: ['users', query],
    queryFn: async ({ signal }) =>
      listPageOf(await shop.GET('/users', { params: { query }, signal })),
  })
  const count = useQuery({
    queryKey: ['users', 'count', filters],
    staleTime: COUNT_STALE_MS,
    // Nothing counts a search, and the list comes first.
    enabled: q === '' && users.isSuccess && !users.isPlaceholderData,
    queryFn: async ({ signal }) => countUsers(filters, signal),
  })
  const { data: page, error } = users
  return (
    <Card>
      <Group justify="space-between">
        <Heading>{C.pages['/console/users']}</Heading>
        <Link to="/console/users/new" state={from} asChild>
          <Button component="a" variant="default">
            {C.pages['/console/users/new']}
          </Button>
        </Link>
      </Group>
      <Group className="filters" gap="sm" align="flex-start">
        <SearchField label={U.search} description={U.searchHint} q={asked('q')} />
        <Filters />
      </Group>
      <Text role="status" size="sm" c="dimmed">
        {q === '' ? count.data : after === '' && page !== undefined && foundOn(page)}
      </Text>
      {isCode(error, 'validation_failed') ? (
        <Refused error={error} />
      ) : (
        <List
          caption={C.pages['/console/users']}
          none={U.nobody}
          list={users}
          rowKey={({ id }) => id}
          sort={SORT}
          columns={columnsOf(from)}
        />
      )}
    </Card>
  )
}

/** The API refuses what it does not know, and the page says so. */
function given(parameters: Readonly<Record<string, string>>): Query {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== ''))
}

async function countUsers(filters: Query, signal: AbortSignal): Promise<string> {
  const params = { query: { ...filters, limit: 1, count: 'estimate' as const } }
  const answer = await shop.GET('/users', { params, signal })
  dataOf(answer)
  const headers = answer.response?.headers
  const total = Number(headers?.get('x-total-count'))
  return headers?.has('x-total-count-estimated') === true
    ? U.about(numberOf(total))
    : U.count(total, numberOf(total))
}

function foundOn({ rows, next }: ListPage<unknown>): string {
  const count = numberOf(rows.length)
  return next === undefined ? U.count(rows.length, count) : U.moreThan(count)
}

function Filters() {
  const [search] = useSearchParams()
  const [, navigate] = useLocation()
  const to = useAddress()
  const field = (name: string) => ({
    value: search.get(name) ?? '',
    onChange: ({ currentTarget }: { currentTarget: HTMLSelectElement }) =>
      navigate(to({ [name]: currentTarget.value, after: '' })),
  })
  const any = { value: '', label: C.filters.all }
  return (
    <>
      <NativeSelect
        label={U.role}
        data={[
          any,
          { value: 'user', label: U.roles.user },
          { value: 'admin', label: U.roles.admin },
        ]}
        {...field('role')}
      />
      <NativeSelect
        label={U.state}
        data={[any, { value: 'true', label: U.verified }, { value: 'false', label: U.unverified }]}
        {...field('is_verified')}
      />
      {/* Where the list has no heads. */}
      <NativeSelect
        hiddenFrom="md"
        label={U.sort}
        data={Object.entries(U.orders).map(([value, label]) => ({ value, label }))}
        {...field('sort')}
        value={search.get('sort') ?? SORT}
      />
    </>
  )
}

/** Of a link that was changed, or whose place in the list has another order now. */
function Refused({ error }: { error: Error | null }) {
  const isTooBroad =
    error instanceof ShopError && error.errors.some(({ code }) => code === 'too_broad')
  return (
    <Alert role="alert" color="red" variant="light">
      {isTooBroad ? U.tooBroad : U.lost}{' '}
      <Link to="/console/users" asChild>
        <Anchor inherit>{U.all}</Anchor>
      </Link>
    </Alert>
  )
}
